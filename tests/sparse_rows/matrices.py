"""Sparse matrices of every awkward kind, each with the rows it stands for."""

import numpy as np
import scipy.sparse


def sparse(rng, rows, columns, density=0.1, dtype="float64"):
    """A CSR matrix of standard normal numbers; some rows and columns are empty."""
    mask = rng.uniform(size=(rows, columns)) < density
    mask[rows // 2] = False
    mask[:, columns // 3] = False
    numbers = rng.normal(size=(rows, columns)).astype(dtype)
    return scipy.sparse.csr_array(np.where(mask, numbers, 0))


def unsorted(a):
    """The same rows, the nonzeros of each in reverse order."""
    order = np.concatenate(
        [np.arange(a.indptr[i], a.indptr[i + 1])[::-1] for i in range(a.shape[0])]
    ).astype(int)
    return scipy.sparse.csr_array(
        (a.data[order], a.indices[order], a.indptr), shape=a.shape
    )


def repeated(a, times=20):
    """Each nonzero in `times` parts of different size, in no order of columns."""
    parts = np.random.default_rng(5).normal(size=(times, a.nnz))
    rows = np.repeat(np.arange(a.shape[0]), np.diff(a.indptr))
    order = np.argsort(np.tile(rows, times), kind="stable")
    indices = np.tile(a.indices, times)[order]
    return scipy.sparse.csr_array(
        (parts.reshape(-1)[order], indices, a.indptr * times), shape=a.shape
    )


def explicit_zeros(a):
    """Every third nonzero is a zero that is written down, every sixth -0.0."""
    b = a.copy()
    b.data[::3] = 0.0
    b.data[::6] = -0.0
    return b


def wide_indices(a):
    """The same with indices of 64 bits."""
    b = a.copy()
    b.indices, b.indptr = b.indices.astype(np.int64), b.indptr.astype(np.int64)
    return b


def room_behind(a):
    """The same with arrays longer than indptr tells."""
    b = a.copy()
    b.data = np.append(b.data, [np.nan, 7.0])
    b.indices = np.append(b.indices, [10**6, -1]).astype(b.indices.dtype)
    return b


MATRICES = {
    "plain": lambda a: a,
    "old csr_matrix": scipy.sparse.csr_matrix,
    "all zero": lambda a: scipy.sparse.csr_array(a.shape),
    "explicit zeros": explicit_zeros,
    "unsorted": unsorted,
    "repeated": repeated,
    "64-bit indices": wide_indices,
    "room behind": room_behind,
    "float32": lambda a: a.astype(np.float32),
    "float16": lambda a: scipy.sparse.csr_array(
        (a.data.astype(np.float16).astype(np.float64), a.indices, a.indptr), a.shape
    ),
    "int8": lambda a: (a * 5).astype(np.int8),
    "bool": lambda a: a.astype(bool),
    "big endian": lambda a: scipy.sparse.csr_array(
        (a.data.astype(">f8"), a.indices, a.indptr), shape=a.shape
    ),
    "denormal": lambda a: a * 1e-310,
    "csc": lambda a: a.tocsc(),
    "coo": lambda a: a.tocoo(),
    "bsr": lambda a: a.tobsr(blocksize=(1, 1)),
    "lil": lambda a: a.tolil(),
    "dok": lambda a: a.todok(),
    "dia": lambda a: scipy.sparse.dia_array(
        (a[[1, 2]].toarray(), [0, -3]), shape=a.shape
    ),
}
