package dev.lockstep.cli;

import sun.misc.Signal;
import sun.misc.SignalHandler;

/**
 * Signals of this process. {@code sun.misc.Signal} is in the supported module {@code
 * jdk.unsupported}; a shutdown hook would not do, as it cannot tell SIGTERM from Ctrl-C, nor choose
 * the exit code.
 */
final class Signals {
  private Signals() {}

  /** Runs {@code action} on a thread of its own at each SIGINT. */
  static void onInterrupt(Runnable action) {
    Signal.handle(new Signal("INT"), caught -> action.run());
  }

  /**
   * Runs {@code action} on a thread of its own at each SIGTERM, and at SIGHUP unless under nohup.
   */
  static void onTerminate(Runnable action) {
    SignalHandler handler = caught -> action.run();
    Signal.handle(new Signal("TERM"), handler);
    Signal hangUp = new Signal("HUP");
    SignalHandler before = Signal.handle(hangUp, handler);
    if (before == SignalHandler.SIG_IGN) {
      Signal.handle(hangUp, before);
    }
  }

  /** Runs {@code action} on a thread of its own when the terminal's size changes. */
  static void onResize(Runnable action) {
    Signal.handle(new Signal("WINCH"), caught -> action.run());
  }
}
