package dev.lockstep.comm;

import org.slf4j.MDC;

/** Puts the rank into the log's context, so that every line tells which rank wrote it. */
public final class RankContext {
  /** The key in SLF4J's mapped diagnostic context: {@code %X{rank}} in a Logback pattern. */
  public static final String KEY = "rank";

  private RankContext() {}

  /**
   * Marks what the current thread logs from now on.
   *
   * @param rank this process's or thread's rank
   * @return the mark, which ends when it is closed
   */
  public static MDC.MDCCloseable enter(int rank) {
    return MDC.putCloseable(KEY, Integer.toString(rank));
  }
}
