package dev.lockstep.monitor;

import dev.lockstep.monitor.TrainingEvent.EpochDone;
import dev.lockstep.monitor.TrainingEvent.Started;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Draws a curve a metric in TensorBoard, with the epoch as its step. */
final class TensorBoardRecorder implements TrainingListener {
  private final Path folder;
  private final InstantSource clock;
  private @Nullable EventFile events;

  TensorBoardRecorder(Path folder, InstantSource clock) {
    this.folder = folder;
    this.clock = clock;
  }

  @Override
  public void on(TrainingEvent event) {
    if (event instanceof Started started) {
      start(started.run());
    } else if (event instanceof EpochDone done) {
      draw(done.epoch());
    }
  }

  private void start(RunStart start) {
    EventFile file = EventFile.create(folder, clock);
    events = file;
    file.restartAt(start.firstEpoch());
  }

  private void draw(EpochRecord epoch) {
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
  public void close() {
    if (events != null) {
      events.close();
    }
  }
}
