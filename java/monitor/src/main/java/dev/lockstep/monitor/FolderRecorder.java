package dev.lockstep.monitor;

import dev.lockstep.monitor.TrainingEvent.EpochDone;
import dev.lockstep.monitor.TrainingEvent.Finished;
import dev.lockstep.monitor.TrainingEvent.Started;
import dev.lockstep.monitor.TrainingEvent.Validated;
import java.awt.AWTError;
import java.nio.file.Path;
import java.util.List;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Writes {@code metrics.jsonl} as epochs end, and {@code summary.json} and the plots when the run
 * does.
 */
final class FolderRecorder implements TrainingListener {
  private static final Logger log = LoggerFactory.getLogger(FolderRecorder.class);

  private final RunFolder folder;
  private final RunFolderClaim claim;
  private final boolean plots;
  private @Nullable MetricsFile metrics;

  FolderRecorder(RunFolder folder, RunFolderClaim claim, boolean plots) {
    this.folder = folder;
    this.claim = claim;
    this.plots = plots;
  }

  @Override
  public void on(TrainingEvent event) {
    if (event instanceof Started started) {
      metrics = new MetricsFile(folder.metrics(), started.run().firstEpoch());
    } else if (event instanceof Validated validated) {
      open().append(validated);
    } else if (event instanceof EpochDone done) {
      open().append(done.epoch());
    } else if (event instanceof Finished finished) {
      finish(finished);
    }
  }

  private void finish(Finished finished) {
    RunSummary summary = finished.summary();
    List<TargetPredictions> predictions = finished.predictions();
    AtomicFile.replace(folder.summary(), RecordJson.document(summary));
    if (!plots) {
      return;
    }
    List<LossPoint> losses = open().losses();
    if (!losses.isEmpty()) {
      draw(folder.lossPlot(), () -> LossPlot.draw(losses));
    }
    if (!predictions.isEmpty()) {
      draw(folder.predictionPlot(), () -> PredictionPlot.draw(predictions, summary.scores()));
    }
    finished.maps().ifPresent(maps -> draw(folder.maps(), () -> MapPlot.draw(maps)));
  }

  /**
   * A system without fonts must not cost the run its results, so a plot that fails is only logged.
   */
  private static void draw(Path file, Supplier<byte[]> plot) {
    byte[] png;
    try {
      png = plot.get();
    } catch (RuntimeException | LinkageError | InternalError | AWTError e) {
      log.warn(
          "{} was not drawn: {}. Install fontconfig and a font (Debian: fonts-dejavu-core), or set"
              + " output.plots to false.",
          file,
          e.toString());
      return;
    }
    AtomicFile.replace(file, png);
  }

  private MetricsFile open() {
    if (metrics == null) {
      throw new IllegalStateException(
          "A run must be started before its epochs and its end are recorded.");
    }
    return metrics;
  }

  @Override
  public void close() {
    try (claim) {
      if (metrics != null) {
        metrics.close();
      }
    }
  }
}
