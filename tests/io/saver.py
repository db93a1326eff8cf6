"""A process that saves one network after the other until it is killed.

    python saver.py PATH FIRST [LIMIT]

Network k has 199,000 parameters, all k, and seed k; k goes up from FIRST. Prints a line
before the first save. With LIMIT no file may be longer, as on a full disk: it saves
once and prints the error.
"""

import itertools
import sys

import fastnn as fnn


def main(path: str, first: str, limit: str = "") -> None:
    if limit:
        import resource

        resource.setrlimit(resource.RLIMIT_FSIZE, (int(limit), int(limit)))
    say("ready")
    for k in itertools.count(int(first)):
        net = fnn.Sequential(fnn.Dense(199, init="zeros"), seed=k).build(999)
        net.parameters[:] = k
        try:
            net.save(path)
        except OSError as error:
            say(f"{type(error).__name__} {error}")
        if limit:
            return


def say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main(*sys.argv[1:])
