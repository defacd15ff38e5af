package dev.lockstep.train;

import dev.lockstep.train.TrainingConfig.EarlyStopping;
import org.jspecify.annotations.Nullable;

/** Watches the validation loss for early stopping. All ranks see the same loss, so all agree. */
final class Patience {
  private final @Nullable EarlyStopping config;
  private @Nullable Double best;
  private int epochsWithout;

  Patience(@Nullable EarlyStopping config) {
    this.config = config;
  }

  /**
   * Takes in an epoch's loss, NaN where nothing is held out; returns whether training should end.
   */
  boolean exhaustedAfter(double loss) {
    if (Double.isNaN(loss)) {
      return false;
    }
    double minDelta = config == null ? 0 : config.minDelta();
    if (best == null || loss < best - minDelta) {
      best = loss;
      epochsWithout = 0;
    } else {
      epochsWithout++;
    }
    return config != null && epochsWithout >= config.patience();
  }

  @Nullable Double best() {
    return best;
  }

  int epochsWithoutImprovement() {
    return epochsWithout;
  }

  void resume(@Nullable Double best, int epochsWithout) {
    this.best = best;
    this.epochsWithout = epochsWithout;
  }
}
