package dev.lockstep.train.memory;

import dev.lockstep.comm.CommunicationException;
import dev.lockstep.comm.Work;
import java.util.List;

/** Pending communication at the end of a run that failed. */
public final class Works {
  private Works() {}

  /**
   * Waits until none of them touches its memory any more. Errors are ignored; the first one is
   * already propagating.
   */
  public static void settle(List<Work> works) {
    for (Work work : works) {
      try {
        work.await();
      } catch (CommunicationException alreadyReported) {
        continue;
      }
    }
    works.clear();
  }
}
