package dev.lockstep.config;

import dev.lockstep.ConfigKeyException;
import dev.lockstep.data.DataConfig;
import org.jspecify.annotations.Nullable;

/** What runs of all kinds ask of the keys that they have in common. */
final class RunKeys {
  private RunKeys() {}

  /**
   * The run's name.
   *
   * @param example of one
   */
  static String name(@Nullable String name, String example) {
    if (name == null) {
      throw new ConfigKeyException("name", "is missing; give the run one, as in name: " + example);
    }
    return name;
  }

  /** What a model is to predict; data that is made up has its own. */
  static void checkTargets(DataConfig data) {
    if (data.targets().isEmpty() && data.synthetic() == null) {
      throw new ConfigKeyException("data.targets", "list at least one variable to predict");
    }
  }
}
