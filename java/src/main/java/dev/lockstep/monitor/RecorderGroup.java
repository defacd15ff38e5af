package dev.lockstep.monitor;

import java.util.List;

/** Passes every call on to its members, in order. */
record RecorderGroup(List<RunRecorder> members) implements RunRecorder {
  RecorderGroup {
    members = List.copyOf(members);
  }

  @Override
  public void started(RunStart start) {
    members.forEach(member -> member.started(start));
  }

  @Override
  public void stepFinished(int epoch, int step) {
    for (RunRecorder member : members) {
      member.stepFinished(epoch, step);
    }
  }

  @Override
  public void epochFinished(EpochRecord epoch) {
    members.forEach(member -> member.epochFinished(epoch));
  }

  @Override
  public void finished(RunSummary summary, List<TargetPredictions> predictions) {
    members.forEach(member -> member.finished(summary, predictions));
  }

  @Override
  public void close() {
    RuntimeException failure = null;
    for (RunRecorder member : members) {
      try {
        member.close();
      } catch (RuntimeException e) {
        if (failure == null) {
          failure = e;
        } else {
          failure.addSuppressed(e);
        }
      }
    }
    if (failure != null) {
      throw failure;
    }
  }
}
