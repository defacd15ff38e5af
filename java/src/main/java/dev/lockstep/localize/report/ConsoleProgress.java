package dev.lockstep.localize.report;

import dev.lockstep.localize.IterationPoint;
import dev.lockstep.monitor.ProgressLine;
import java.io.PrintStream;
import java.util.Locale;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Tells a person how a localisation goes: a line for about every tenth of the iterations, and on a
 * terminal a progress bar below.
 */
public final class ConsoleProgress implements Consumer<IterationPoint>, AutoCloseable {
  private static final int LINES = 10;

  private final PrintStream out;
  private final long iterations;
  private final @Nullable ProgressLine bar;
  private long nextLine;

  /**
   * Begins.
   *
   * @param iterations at most so many
   * @param terminal whether {@code out} is one
   */
  public ConsoleProgress(PrintStream out, long iterations, boolean terminal) {
    this.out = out;
    this.iterations = iterations;
    bar = terminal ? new ProgressLine(out, "localize", iterations, 0) : null;
  }

  @Override
  public void accept(IterationPoint point) {
    if (bar != null) {
      bar.stepTo(point.iteration());
    }
    if (point.iteration() >= nextLine || point.iteration() == iterations) {
      nextLine = point.iteration() + Math.max(1, iterations / LINES);
      println(line(point));
    }
  }

  private String line(IterationPoint point) {
    String width = Integer.toString(Long.toString(iterations).length());
    return String.format(
        Locale.ROOT,
        "Iteration %" + width + "d/%d   objective %.4g   residual %.3g%s",
        point.iteration(),
        iterations,
        point.objective(),
        point.residual(),
        Double.isNaN(point.mse()) ? "" : String.format(Locale.ROOT, "   RMSE %.4g", point.rmse()));
  }

  private void println(String line) {
    if (bar == null) {
      out.println(line);
    } else {
      bar.println(line);
    }
  }

  /** Takes the bar away. */
  @Override
  public void close() {
    if (bar != null) {
      bar.close();
    }
  }
}
