// Scores of outputs against targets, for people: accuracy, mae, r2, auc.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "fastnn/nn/batch_pass.hpp"

namespace fastnn {

enum class Metric { kAccuracy, kMae, kR2, kAuc };

const std::vector<std::string>& metric_names();

// Metrics by name; throws for unknown names and for metrics that do not fit the loss
// (accuracy and auc need classes, mae and r2 need values).
std::vector<Metric> metrics_for(const std::vector<std::string>& names,
                                const Loss& loss);

// accuracy  share of rows whose greatest output is the class; with labels, of outputs
//           on the right side of 0
// mae       mean |output - target|; of log rates (poisson), their exponentials count
// r2        1 - residual / total sum of squares, averaged over the outputs; likewise
// auc       area under the ROC curve (Mann-Whitney), classes one against the rest and
//           outputs averaged; NaN where a class is absent
// Row i of the outputs belongs to sample rows[i] (i when rows is null). `interrupted`
// is asked now and then, unless it is empty; once it is true the result means nothing.
template <class T>
double evaluate_metric(Metric metric,
                       const Loss& loss,
                       MatrixView<const T> outputs,  // (n, out)
                       const Samples<T>& samples,
                       const Index* rows,
                       const std::function<bool()>& interrupted = {});

}  // namespace fastnn
