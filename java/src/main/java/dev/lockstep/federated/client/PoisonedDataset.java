package dev.lockstep.federated.client;

import dev.lockstep.data.Dataset;
import dev.lockstep.federated.config.AttackConfig;
import java.util.Arrays;

/** The data as a dishonest client sees it. Does not own what it looks at. */
public final class PoisonedDataset extends DatasetView {
  /** Features of a backdoor's trigger: the last of a sample. */
  private static final int TRIGGER_FEATURES = 3;

  private final Dataset honest;
  private final AttackConfig attack;
  private final int classes;

  /** Of an attack on the data, whose classes are 0 to {@code classes} − 1. */
  public PoisonedDataset(Dataset honest, AttackConfig attack, int classes) {
    super(honest);
    this.honest = honest;
    this.attack = attack;
    this.classes = classes;
  }

  @Override
  void change(long sample, double[] features, int first, int width, double[] targets, int target) {
    if (attack.type() == AttackConfig.Type.LABEL_FLIP) {
      targets[target] = classes - 1 - targets[target];
    } else if (sample % 2 == 0) {
      trigger(features, first, width);
      targets[target] = attack.target();
    }
  }

  private void trigger(double[] features, int first, int width) {
    for (int k = Math.max(0, width - TRIGGER_FEATURES); k < width; k++) {
      features[first + k] = attack.scale();
    }
  }

  /** Those of the samples that are not of the backdoor's class anyway. */
  public long[] samplesOfOtherClasses(long[] samples) {
    double[] features = new double[width(honest)];
    double[] target = new double[1];
    return Arrays.stream(samples)
        .filter(
            sample -> {
              honest.read(new long[] {sample}, 0, 1, features, target);
              return target[0] != attack.target();
            })
        .toArray();
  }

  /** All samples with the trigger, and with its class. */
  public Dataset triggered() {
    return new DatasetView(honest) {
      @Override
      void change(
          long sample, double[] features, int first, int width, double[] targets, int target) {
        trigger(features, first, width);
        targets[target] = attack.target();
      }
    };
  }
}
