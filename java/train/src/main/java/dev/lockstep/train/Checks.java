package dev.lockstep.train;

import dev.lockstep.ConfigKeyException;

/** Ranges of configuration values; the messages name the key. */
public final class Checks {
  private Checks() {}

  public static void atLeast(String key, long value, long minimum) {
    if (value < minimum) {
      throw new ConfigKeyException(key, "must be at least " + minimum + ", not " + value + ".");
    }
  }

  public static void positive(String key, double value) {
    if (!(value > 0 && Double.isFinite(value))) {
      throw new ConfigKeyException(key, "must be above 0, not " + value + ".");
    }
  }

  public static void notNegative(String key, double value) {
    if (!(value >= 0 && Double.isFinite(value))) {
      throw new ConfigKeyException(key, "must be at least 0, not " + value + ".");
    }
  }

  public static void fraction(String key, double value) {
    if (!(value >= 0 && value < 1)) {
      throw new ConfigKeyException(key, "must be at least 0 and below 1, not " + value + ".");
    }
  }
}
