package dev.lockstep.monitor;

import dev.lockstep.monitor.TrainingEvent.Started;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Opens another recorder when the run is about to take its first step, and passes every event on to
 * it. A run that fails before that leaves no trace, and displaces nothing.
 */
final class RecorderOfStart implements TrainingListener {
  private final Supplier<TrainingListener> opening;
  private @Nullable TrainingListener opened;

  RecorderOfStart(Supplier<TrainingListener> opening) {
    this.opening = opening;
  }

  @Override
  public void on(TrainingEvent event) {
    if (event instanceof Started) {
      opened = opening.get();
    }
    if (opened == null) {
      throw new IllegalStateException("The run's start comes first.");
    }
    opened.on(event);
  }

  @Override
  public void close() {
    if (opened != null) {
      opened.close();
    }
  }
}
