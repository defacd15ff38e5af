package dev.lockstep.localize.report;

import dev.lockstep.localize.IterationPoint;
import dev.lockstep.localize.Localization;
import dev.lockstep.monitor.CurvePlot;
import java.util.List;
import java.util.function.ToDoubleFunction;

/** {@code convergence.png}: objective, residual and error by iteration. */
final class ConvergencePlot {
  private ConvergencePlot() {}

  static byte[] draw(Localization result) {
    List<IterationPoint> history = result.history();
    double[] iterations = history.stream().mapToDouble(IterationPoint::iteration).toArray();
    CurvePlot left = new CurvePlot("Objective of the relaxation", "iteration", "objective");
    left.add("each sensor on its own copy", iterations, values(history, IterationPoint::objective));
    left.add(
        "at the mean of the copies", iterations, values(history, IterationPoint::meanObjective));
    CurvePlot right = new CurvePlot("Agreement and error", "iteration", "length, or relative");
    right.add(
        "consensus residual (relative)", iterations, values(history, IterationPoint::residual));
    if (result.network().truth().isPresent()) {
      right.add("RMSE", iterations, values(history, IterationPoint::rmse));
      if (result.positions() != result.relaxation().positions()) {
        double[] ends = {iterations[0], iterations[iterations.length - 1]};
        right.add("RMSE after refinement", ends, new double[] {result.rmse(), result.rmse()});
      }
    }
    return CurvePlot.sideBySide(left, right);
  }

  private static double[] values(
      List<IterationPoint> history, ToDoubleFunction<IterationPoint> value) {
    return history.stream().mapToDouble(value).toArray();
  }
}
