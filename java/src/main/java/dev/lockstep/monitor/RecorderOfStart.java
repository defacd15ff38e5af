package dev.lockstep.monitor;

import java.util.List;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Opens another recorder when the run is about to take its first step, and passes every call on to
 * it. A run that fails before that leaves no trace, and displaces nothing.
 */
final class RecorderOfStart implements RunRecorder {
  private final Supplier<RunRecorder> opening;
  private @Nullable RunRecorder opened;

  RecorderOfStart(Supplier<RunRecorder> opening) {
    this.opening = opening;
  }

  @Override
  public void started(RunStart start) {
    opened = opening.get();
    opened.started(start);
  }

  @Override
  public void stepFinished(int epoch, int step) {
    recorder().stepFinished(epoch, step);
  }

  @Override
  public void epochFinished(EpochRecord epoch) {
    recorder().epochFinished(epoch);
  }

  @Override
  public void finished(RunSummary summary, List<TargetPredictions> predictions) {
    recorder().finished(summary, predictions);
  }

  private RunRecorder recorder() {
    if (opened == null) {
      throw new IllegalStateException("started() comes first");
    }
    return opened;
  }

  @Override
  public void close() {
    if (opened != null) {
      opened.close();
    }
  }
}
