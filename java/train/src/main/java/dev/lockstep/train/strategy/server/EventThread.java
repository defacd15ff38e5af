package dev.lockstep.train.strategy.server;

import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;

/**
 * A server's thread: it takes one event after the other, and has a pulse several times in a
 * deadline, however many events there are.
 */
final class EventThread {
  private final Thread thread;
  private final BlockingQueue<Runnable> events = new LinkedBlockingQueue<>();
  private final long pulseNanos;
  private final Runnable pulse;
  private final Consumer<RuntimeException> failed;
  private boolean ended;

  /**
   * @param timeoutSeconds the deadline, in which there are {@link Silence#PULSES} pulses
   * @param pulse what happens at each
   * @param failed is told what an event or a pulse has thrown, and may be told again
   */
  EventThread(
      String name, double timeoutSeconds, Runnable pulse, Consumer<RuntimeException> failed) {
    pulseNanos = Silence.pulseNanos(timeoutSeconds);
    this.pulse = pulse;
    this.failed = failed;
    thread = new Thread(this::run, name);
    thread.setDaemon(true);
  }

  /** Begins with what it has been told before. */
  void start() {
    thread.start();
  }

  /** Has the thread do something, after what it has been told before. Any thread. */
  void tell(Runnable event) {
    events.add(event);
  }

  private void run() {
    long last = System.nanoTime();
    try {
      while (!ended) {
        Runnable event = events.poll(pulseNanos, TimeUnit.NANOSECONDS);
        if (event != null) {
          attempt(event);
        }
        if (System.nanoTime() - last >= pulseNanos) {
          last = System.nanoTime();
          attempt(pulse);
        }
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private void attempt(Runnable event) {
    try {
      event.run();
    } catch (RuntimeException e) {
      failed.accept(e);
    } catch (Error e) {
      failed.accept(
          new IllegalStateException("The parameter server of this rank has failed: " + e, e));
    }
  }

  /** Ends the thread, after what it has been told before, and waits until it has ended. */
  void end() {
    tell(() -> ended = true);
    boolean interrupted = false;
    while (thread.isAlive()) {
      try {
        thread.join();
      } catch (InterruptedException e) {
        interrupted = true;
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }
}
