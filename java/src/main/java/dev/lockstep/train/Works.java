package dev.lockstep.train;

import dev.lockstep.comm.CommunicationException;
import dev.lockstep.comm.Work;
import java.util.List;

/** Pending communication at the end of a run that failed. */
final class Works {
  private Works() {}

  /**
   * Waits until none of them touches its memory any more. Their errors say nothing new: the one
   * that ended the run is on its way to the caller.
   */
  static void settle(List<Work> works) {
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
