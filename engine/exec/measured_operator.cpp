// EXPLAIN ANALYZE's wrapper around an operator: counts rows, loops and time.
#include "exec/measure.h"
#include "exec/operators_internal.h"
#include "fiber/fiber.h"

namespace orrery {
namespace {

class MeasuredOperator final : public Operator {
 public:
  MeasuredOperator(ExecContext& context, OperatorPtr inner)
      : Operator(context, inner->plan()),
        inner_(std::move(inner)),
        measure_((*context.measures)[static_cast<size_t>(plan_.id)]) {}

  Status open() override { return inner_->open(); }
  Result<Batch*> next() override {
    const Instant start = context_.fiber.now();
    if (!started_) ++measure_.loops;
    inner_->wanted = wanted;
    Result<Batch*> batch = inner_->next();
    const int64_t spent = context_.fiber.now() - start;
    if (!started_) measure_.first_ns += spent;
    started_ = true;
    measure_.total_ns += spent;
    if (batch.ok() && *batch != nullptr) measure_.rows += (*batch)->rows.count;
    return batch;
  }
  Status rescan() override {
    started_ = false;
    return inner_->rescan();
  }
  Status rewind() override {
    started_ = false;
    return inner_->rewind();
  }
  void set_row_limit(double rows) override { inner_->set_row_limit(rows); }

 private:
  OperatorPtr inner_;
  NodeMeasure& measure_;
  bool started_ = false;
};

}  // namespace

OperatorPtr measured(ExecContext& context, OperatorPtr inner) {
  return std::make_unique<MeasuredOperator>(context, std::move(inner));
}

}  // namespace orrery
