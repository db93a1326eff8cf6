// Is there room on this thread's stack? Products copy parts of their operands there.
#pragma once

namespace fastnn {

// Throws std::runtime_error, which says what to do, if what is left of the calling
// thread's stack is less than the deepest kernel takes. Costs two loads but for a
// thread's first call.
void require_stack();

}  // namespace fastnn
