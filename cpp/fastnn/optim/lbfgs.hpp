// The settings of L-BFGS.
#pragma once

#include <optional>
#include <string>

#include "fastnn/core/error.hpp"
#include "fastnn/core/fields.hpp"
#include "fastnn/core/types.hpp"

namespace fastnn::optim {

// Limited-memory BFGS (Liu and Nocedal 1989), with torch.optim.LBFGS's names and
// defaults but for the line search, which torch leaves out unless asked.
struct Lbfgs {
    static constexpr const char* kKind = "lbfgs";
    static constexpr const char* kStrongWolfe = "strong_wolfe";
    double lr = 1.0;                // the first step length each line search tries
    Index max_iter = 20;            // iterations of one run
    std::optional<Index> max_eval;  // max_iter * 5 / 4
    double tolerance_grad = 1e-7;   // of the gradient's largest element
    double tolerance_change = 1e-9;
    Index history_size = 100;
    std::optional<std::string> line_search_fn = kStrongWolfe;

    static constexpr auto fields() {
        return std::tuple{field("lr", &Lbfgs::lr),
                          field("max_iter", &Lbfgs::max_iter),
                          field("max_eval", &Lbfgs::max_eval),
                          field("tolerance_grad", &Lbfgs::tolerance_grad),
                          field("tolerance_change", &Lbfgs::tolerance_change),
                          field("history_size", &Lbfgs::history_size),
                          field("line_search_fn", &Lbfgs::line_search_fn)};
    }
    void validate() const {
        require_positive("lr", lr);
        require(max_iter >= 1, "max_iter", max_iter, "an integer >= 1");
        if (max_eval) {
            require(*max_eval >= 1, "max_eval", *max_eval, "an integer >= 1, or None");
        }
        require_not_negative("tolerance_grad", tolerance_grad);
        require_not_negative("tolerance_change", tolerance_change);
        require(history_size >= 1, "history_size", history_size, "an integer >= 1");
        if (line_search_fn) {
            require(*line_search_fn == kStrongWolfe, "line_search_fn",
                    "'" + *line_search_fn + "'", "'strong_wolfe' or None");
        }
    }
    Index most_evaluations() const noexcept {
        return max_eval.value_or(max_iter + max_iter / 4);
    }
};

}  // namespace fastnn::optim
