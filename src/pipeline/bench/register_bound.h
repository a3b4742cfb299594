#pragma once

namespace rallrec::pipeline {

// Operations per second of all threads together with every operand in registers: no product of the
// same instructions can pass it. Each rate is the best of all measurements so far, since it is a
// bound.
struct RegisterBound {
  double fp32 = 0.0;
  double int8 = 0.0;  // 0 where this CPU has no loop for it

  // Some tens of milliseconds; call it before and after what is held against it.
  void measure();
};

}  // namespace rallrec::pipeline
