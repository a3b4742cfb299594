#pragma once

namespace rallrec::kernels {

// GNU vectors without an alignment demand: they may be read from and written to any float address.
// Used as locals and through pointers only, never passed by value, so no ABI depends on them.
using Float8 = float __attribute__((vector_size(32), aligned(4), may_alias));
using Float16 = float __attribute__((vector_size(64), aligned(4), may_alias));

}  // namespace rallrec::kernels
