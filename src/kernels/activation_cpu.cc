#include "kernels/activation_cpu.h"

#include "kernels/simd.h"
#include "kernels/with_activation.h"

namespace rallrec::kernels::detail {
namespace {

// Each function has value(x), which makes x f(x), and slope(x), which makes x f'(x).

struct Identity {
  template <typename Lanes>
  [[gnu::always_inline]] static void value(Lanes& /*x*/) {}
  template <typename Lanes>
  [[gnu::always_inline]] static void slope(Lanes& x) {
    x = Lanes{} + 1.0F;
  }
};

struct Relu {
  template <typename Lanes>
  [[gnu::always_inline]] static void value(Lanes& x) {
    x = x < 0.0F ? Lanes{} : x;
  }
  template <typename Lanes>
  [[gnu::always_inline]] static void slope(Lanes& x) {
    x = x <= 0.0F ? Lanes{} : Lanes{} + 1.0F;
  }
};

// Φ(x) = erfc(-x / √2) / 2. With z = |x| / √2 and t = 1 / (1 + z / 2) it is erfc(z) = t e^(P(t) -
// z²), relative error below 1.2e-7 in exact arithmetic (Press et al., Numerical Recipes, 6.2).
template <typename Lanes>
[[gnu::always_inline]] inline void normal_distribution(const Lanes& x, Lanes& result) {
  Lanes z = x;
  magnitude(z);
  z = z * 0.707106781F;
  const Lanes t = 1.0F / (1.0F + 0.5F * z);
  Lanes p = t * 0.17087277F - 0.82215223F;
  p = p * t + 1.48851587F;
  p = p * t - 1.13520398F;
  p = p * t + 0.27886807F;
  p = p * t - 0.18628806F;
  p = p * t + 0.09678418F;
  p = p * t + 0.37409196F;
  p = p * t + 1.00002368F;
  p = p * t - 1.26551223F;
  p = p - z * z;
  exp_lanes(p);
  const Lanes tail = 0.5F * t * p;
  result = x < 0.0F ? tail : 1.0F - tail;
}

struct Gelu {
  template <typename Lanes>
  [[gnu::always_inline]] static void value(Lanes& x) {
    Lanes distribution;
    normal_distribution(x, distribution);
    x = x * distribution;
  }
  // Φ(x) + x φ(x) with the density φ(x) = e^(-x²/2) / √(2π).
  template <typename Lanes>
  [[gnu::always_inline]] static void slope(Lanes& x) {
    Lanes distribution;
    normal_distribution(x, distribution);
    Lanes density = -0.5F * x * x;
    exp_lanes(density);
    x = distribution + x * density * 0.398942280F;
  }
};

// 1 - 2 / (e^(2a) + 1) for a = |x|, and the odd polynomial of Cephes (Moshier) near 0, where that
// difference would lose its digits.
struct Tanh {
  template <typename Lanes>
  [[gnu::always_inline]] static void value(Lanes& x) {
    Lanes a = x;
    magnitude(a);
    Lanes power = 2.0F * a;
    exp_lanes(power);
    const Lanes far = 1.0F - 2.0F / (power + 1.0F);
    const Lanes square = x * x;
    Lanes p = square * -5.70498872745e-3F + 2.06390887954e-2F;
    p = p * square - 5.37397155531e-2F;
    p = p * square + 1.33314422036e-1F;
    p = p * square - 3.33332819422e-1F;
    p = p * square * x + x;
    const Lanes signed_far = x < 0.0F ? -far : far;
    x = a < 0.625F ? p : signed_far;
  }
  template <typename Lanes>
  [[gnu::always_inline]] static void slope(Lanes& x) {
    value(x);
    x = 1.0F - x * x;
  }
};

template <typename Function>
struct Apply {
  template <typename Lanes>
  struct Forward {
    [[gnu::always_inline]] static void run(const float* x, float* y, std::int64_t begin,
                                           std::int64_t end) {
      for (std::int64_t i = begin; i < end; i += kLanesOf<Lanes>) {
        Lanes value;
        load_up_to(x + i, end - i, value);
        Function::value(value);
        store_up_to(value, end - i, y + i);
      }
    }
  };
  template <typename Lanes>
  struct Backward {
    [[gnu::always_inline]] static void run(const float* x, const float* dy, float* dx,
                                           std::int64_t begin, std::int64_t end) {
      for (std::int64_t i = begin; i < end; i += kLanesOf<Lanes>) {
        Lanes slope;
        Lanes gradient;
        load_up_to(x + i, end - i, slope);
        load_up_to(dy + i, end - i, gradient);
        Function::slope(slope);
        store_up_to(slope * gradient, end - i, dx + i);
      }
    }
  };
};

using Functions = ActivationClasses<Identity, Relu, Gelu, Tanh>;

}  // namespace

void activate_cpu(Activation activation, const float* x, float* y, std::int64_t begin,
                  std::int64_t end) {
  Functions::with(activation, [&](auto function) {
    using Function = decltype(function);
    run_best_lanes<Apply<Function>::template Forward>(x, y, begin, end);
  });
}

void activate_backward_cpu(Activation activation, const float* x, const float* dy, float* dx,
                           std::int64_t begin, std::int64_t end) {
  Functions::with(activation, [&](auto function) {
    using Function = decltype(function);
    run_best_lanes<Apply<Function>::template Backward>(x, dy, dx, begin, end);
  });
}

}  // namespace rallrec::kernels::detail
