package dev.lockstep.monitor;

import java.nio.file.Path;
import java.time.InstantSource;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Draws a curve a metric in TensorBoard, with the epoch as its step. */
final class TensorBoardRecorder implements RunRecorder {
  private final Path folder;
  private final InstantSource clock;
  private @Nullable EventFile events;

  TensorBoardRecorder(Path folder, InstantSource clock) {
    this.folder = folder;
    this.clock = clock;
  }

  @Override
  public void started(RunStart start) {
    EventFile file = EventFile.create(folder, clock);
    events = file;
    file.restartAt(start.firstEpoch());
  }

  @Override
  public void stepFinished(int epoch, int step) {}

  @Override
  public void epochFinished(EpochRecord epoch) {
    if (events == null) {
      throw new IllegalStateException("An epoch ended before the run was started.");
    }
    Map<String, Double> values = new LinkedHashMap<>();
    values.put("loss/train", epoch.trainLoss());
    if (!Double.isNaN(epoch.validationLoss())) {
      values.put("loss/validation", epoch.validationLoss());
    }
    epoch.scores().r2().forEach((target, value) -> values.put("r2/" + target, value));
    epoch.scores().rmse().forEach((target, value) -> values.put("rmse/" + target, value));
    epoch.scores().accuracy().ifPresent(value -> values.put("accuracy", value));
    values.put("learning_rate", epoch.learningRate());
    values.put("speed/samples_per_second", epoch.samplesPerSecond());
    values.put("speed/communication_share", epoch.communicationShare());
    events.scalars(epoch.epoch(), values);
  }

  @Override
  public void finished(RunSummary summary, List<TargetPredictions> predictions) {}

  @Override
  public void close() {
    if (events != null) {
      events.close();
    }
  }
}
