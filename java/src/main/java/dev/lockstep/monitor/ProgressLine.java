package dev.lockstep.monitor;

import java.io.PrintStream;
import java.time.Duration;
import me.tongfei.progressbar.ProgressBar;
import me.tongfei.progressbar.ProgressBarBuilder;
import me.tongfei.progressbar.ProgressBarConsumer;
import me.tongfei.progressbar.ProgressBarStyle;

/**
 * A progress bar on the last line of a terminal, above which other lines can be printed. The bar
 * redraws itself from a thread of its own, hence the locks.
 */
public final class ProgressLine implements AutoCloseable {
  /** One less than the width that every terminal has, for some wrap a line that fills them. */
  private static final int WIDTH = 79;

  private static final int REDRAW_MILLISECONDS = 200;

  private final PrintStream out;
  private final ProgressBar bar;
  private boolean closed;

  /** Shows the bar, with {@code done} of {@code steps} behind it. */
  public ProgressLine(PrintStream out, String task, long steps, long done) {
    this.out = out;
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
    out.print("\r" + " ".repeat(WIDTH) + "\r");
    out.flush();
  }

  private synchronized void draw(String rendered) {
    if (!closed) {
      out.print("\r" + rendered);
      out.flush();
    }
  }

  private final class LastLine implements ProgressBarConsumer {
    @Override
    public int getMaxRenderedLength() {
      return WIDTH;
    }

    @Override
    public void accept(String rendered) {
      draw(rendered);
    }

    @Override
    public void close() {}
  }
}
