#include "fuzz/c_objects.h"
#include "fuzz/c_structs.h"

namespace fuzz {
namespace {

struct Operand {
  void* data;
  std::int64_t ld;
};
struct Shape {
  explicit Shape(Call& call)
      : dtype(call.bytes.one_in(24) ? any_dtype(call)
                                    : static_cast<simdrop_dtype>(call.bytes.below(2))),
        batch(call.bytes.size()),
        in(call.bytes.size()),
        out(call.bytes.size()) {}

  [[nodiscard]] Operand matrix(Call& call, std::int64_t rows, std::int64_t cols) const {
    const std::int64_t ld = call.ld(cols);
    // simdrop_linear_forward_run() takes 0 for cols.
    return {call.matrix(rows, cols, ld == 0 ? cols : ld, element_size(dtype)), ld};
  }

  simdrop_dtype dtype;
  std::int64_t batch, in, out;
};

void workspace_create(Objects& objects, Call& call) {
  simdrop_linear_workspace*& place = objects.workspace(call.bytes);
  auto** const made = call.result<simdrop_linear_workspace*>();
  const auto status =
      call.run([&](auto* error) { return simdrop_linear_workspace_create(made, error); });
  if (status != SIMDROP_OK) return;
  simdrop_linear_workspace_destroy(place);
  place = *made;
}

void workspace_bytes(Objects& objects, Call& call) {
  require(simdrop_linear_workspace_bytes(objects.workspace(call.bytes)) >= 0, "negative bytes");
}

simdrop_linear_workspace* workspace_of(Objects& objects, Call& call) {
  simdrop_linear_workspace*& place = objects.workspace(call.bytes);
  if (place == nullptr && !call.bytes.one_in(16)) {
    require(simdrop_linear_workspace_create(&place, nullptr) == SIMDROP_OK, "no workspace");
  }
  return place;
}

simdrop_linear_forward_args any_arguments(Objects& objects, Call& call) {
  const Shape s(call);
  const Operand x = s.matrix(call, s.batch, s.in), w = s.matrix(call, s.out, s.in),
                y = s.matrix(call, s.batch, s.out);
  simdrop_linear_forward_args args{};
  args.batch = s.batch, args.in = s.in, args.out = s.out;
  args.x = x.data, args.x_ld = x.ld;
  args.weights = w.data, args.weights_ld = w.ld;
  args.bias = call.bytes.one_in(3) ? nullptr : call.array(s.out, element_size(s.dtype));
  args.dropout = call.bytes.one_in(3) ? nullptr : any_dropout(call);
  args.y = y.data, args.y_ld = y.ld;
  args.mask = call.bytes.one_in(3) ? nullptr : call.mask(s.batch, s.out);
  args.workspace = workspace_of(objects, call);
  args.exec = any_exec(call);
  args.dtype = s.dtype;
  args.activation = call.bytes.one_in(32) ? call.bytes.any<simdrop_activation>()
                                          : static_cast<simdrop_activation>(call.bytes.below(2));
  return args;
}

void forward(Objects& objects, Call& call) {
  const auto a = any_arguments(objects, call);
  call.run([&](auto* error) {
    return simdrop_linear_forward(a.dtype, a.batch, a.in, a.out, a.x, a.x_ld, a.weights,
                                  a.weights_ld, a.bias, a.activation, a.dropout, a.y, a.y_ld,
                                  a.mask, a.workspace, a.exec, error);
  });
}

void forward_run(Objects& objects, Call& call) {
  auto value = any_arguments(objects, call);
  if (call.bytes.one_in(4) && value.x_ld == value.in) value.x_ld = 0;
  if (call.bytes.one_in(4) && value.y_ld == value.out) value.y_ld = 0;
  const auto* const args = call.structure(value);
  call.run([&](auto* error) { return simdrop_linear_forward_run(args, error); });
}

void forward_args_init(Objects& /*objects*/, Call& call) {
  const std::size_t size = call.any_struct_size(sizeof(simdrop_linear_forward_args));
  auto* const args = call.room<simdrop_linear_forward_args>(size);
  call.run([&](auto* error) { return simdrop_linear_forward_args_init(args, size, error); });
}

void backward_input(Objects& objects, Call& call) {
  const Shape s(call);
  const Operand dy = s.matrix(call, s.batch, s.out), w = s.matrix(call, s.out, s.in),
                dx = s.matrix(call, s.batch, s.in);
  const Operand stored = call.bytes.one_in(3) ? Operand{nullptr, 0} : s.matrix(call, s.batch, s.in);
  const double keep_prob = call.bytes.keep_prob();
  auto* const workspace = workspace_of(objects, call);
  const auto* const exec = any_exec(call);
  call.run([&](auto* error) {
    return simdrop_linear_backward_input(s.dtype, s.batch, s.in, s.out, dy.data, dy.ld, w.data,
                                         w.ld, stored.data, stored.ld, keep_prob, dx.data, dx.ld,
                                         workspace, exec, error);
  });
}

void backward_weights(Objects& objects, Call& call) {
  const Shape s(call);
  const Operand dy = s.matrix(call, s.batch, s.out), x = s.matrix(call, s.batch, s.in),
                dw = s.matrix(call, s.out, s.in);
  auto* const db = call.bytes.one_in(3) ? nullptr : call.array(s.out, element_size(s.dtype));
  constexpr double usual[] = {1.0, .125, -2.0, 0.0};
  const double alpha = call.bytes.choice(usual);
  const auto accumulate = static_cast<std::int32_t>(call.bytes.below(3));
  auto* const workspace = workspace_of(objects, call);
  const auto* const exec = any_exec(call);
  call.run([&](auto* error) {
    return simdrop_linear_backward_weights(s.dtype, s.batch, s.in, s.out, dy.data, dy.ld, x.data,
                                           x.ld, alpha, accumulate, dw.data, dw.ld, db, workspace,
                                           exec, error);
  });
}

}  // namespace

std::vector<Function> linear_calls() {
  return {workspace_create,  workspace_bytes, forward,         forward_run,
          forward_args_init, backward_input,  backward_weights};
}

}  // namespace fuzz
