package dev.lockstep.monitor;

import java.io.PrintStream;
import java.time.Duration;
import java.util.function.IntSupplier;
import me.tongfei.progressbar.ProgressBar;
import me.tongfei.progressbar.ProgressBarBuilder;
import me.tongfei.progressbar.ProgressBarConsumer;
import me.tongfei.progressbar.ProgressBarStyle;

/**
 * A progress bar on the last line of a terminal, above which other lines can be printed. The bar
 * redraws itself from a thread of its own, hence the locks.
 */
public final class ProgressLine implements AutoCloseable {
  /** In a terminal that is narrower the bar may wrap; less tells nothing any more. */
  private static final int LEAST_WIDTH = 20;

  /** Erases from the cursor to the end of the screen, and leaves the cursor (ECMA-48, ED). */
  private static final String ERASE_BELOW = "\033[J";

  private static final int REDRAW_MILLISECONDS = 200;

  private final PrintStream out;
  private final IntSupplier columns;
  private final ProgressBar bar;
  private boolean closed;

  /** Shows the bar, with {@code done} of {@code steps} behind it. */
  public ProgressLine(PrintStream out, String task, long steps, long done) {
    this(out, task, steps, done, Terminal::columns);
  }

  /**
   * @param columns the terminal's width, which may change
   */
  ProgressLine(PrintStream out, String task, long steps, long done, IntSupplier columns) {
    this.out = out;
    this.columns = columns;
    bar =
        new ProgressBarBuilder()
            .setTaskName(task)
            .setInitialMax(steps)
            .startsFrom(done, Duration.ZERO)
            .setStyle(ProgressBarStyle.UNICODE_BLOCK)
            .setUpdateIntervalMillis(REDRAW_MILLISECONDS)
            .setConsumer(new LastLine())
            .build();
  }

  /** Moves the bar. */
  public void stepTo(long steps) {
    bar.stepTo(steps);
  }

  /** Prints a line in the bar's place; the bar comes back below it. */
  public synchronized void println(String line) {
    erase();
    out.println(line);
    bar.refresh();
  }

  @Override
  public void close() {
    synchronized (this) {
      if (closed) {
        return;
      }
      closed = true;
      erase();
    }
    bar.close();
  }

  private void erase() {
    out.print("\r" + ERASE_BELOW + "\r");
    out.flush();
  }

  private synchronized void draw(String rendered) {
    if (!closed) {
      // What a wider bar has left behind goes, too.
      out.print("\r" + rendered + ERASE_BELOW);
      out.flush();
    }
  }

  private final class LastLine implements ProgressBarConsumer {
    @Override
    public int getMaxRenderedLength() {
      // One less than there are, for some terminals wrap a line that fills them.
      return Math.max(LEAST_WIDTH, columns.getAsInt() - 1);
    }

    @Override
    public void accept(String rendered) {
      draw(rendered);
    }

    @Override
    public void close() {}
  }
}
