package dev.lockstep.model;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * What the outputs of a network for fields or rows say of each target: groups of as many outputs as
 * there are targets, one behind the other. Immutable.
 *
 * @param groups in the order of a model file's outputs
 * @param kind how the network's outputs become them
 */
public record OutputForm(List<Group> groups, Kind kind) {
  /**
   * Added to e^output for a variance, so that the loss of a target without spread has a bound; of
   * targets that were scaled to a variance of about 1, as in torch.nn.GaussianNLLLoss.
   */
  public static final double SMALLEST_VARIANCE = 1e-6;

  /** How a network's outputs become a file's. */
  public enum Kind {
    /** As they are. */
    VALUES,
    /** Means and logarithms of variances become means and standard deviations. */
    NORMAL,
    /** Scores of classes become the class and the probabilities. */
    CLASSES
  }

  /** What one group's numbers are. */
  public enum Meaning {
    /** Values of the target. */
    VALUE,
    /** Sizes of differences of the target's values. */
    SPREAD,
    /** Numbers without the target's units. */
    PURE
  }

  /**
   * A group.
   *
   * @param suffix behind the target's name; empty for the target itself
   * @param longName what it is, behind the target's long name; empty for the target itself
   */
  public record Group(String suffix, String longName, Meaning meaning) {}

  /** Copies the list. */
  public OutputForm {
    groups = List.copyOf(groups);
  }

  /** One value for each target. */
  public static OutputForm values() {
    return new OutputForm(List.of(new Group("", "", Meaning.VALUE)), Kind.VALUES);
  }

  /** Mean and standard deviation. */
  public static OutputForm normal() {
    return new OutputForm(
        List.of(
            new Group("", "", Meaning.VALUE),
            new Group("_sd", "standard deviation", Meaning.SPREAD)),
        Kind.NORMAL);
  }

  /** Quantiles: {@code _q10} is that of the level 0.1, {@code _q2_5} that of 0.025. */
  public static OutputForm quantiles(List<Double> levels) {
    List<Group> groups = new ArrayList<>();
    for (double level : levels) {
      String percent = String.format(Locale.ROOT, "%.6f", 100 * level).replaceAll("\\.?0+$", "");
      groups.add(new Group("_q" + percent.replace('.', '_'), "quantile " + level, Meaning.VALUE));
    }
    return new OutputForm(groups, Kind.VALUES);
  }

  /** The likeliest class and the probability of each. */
  public static OutputForm classes(int count) {
    List<Group> groups = new ArrayList<>();
    groups.add(new Group("", "class", Meaning.PURE));
    for (int c = 0; c < count; c++) {
      groups.add(new Group("_p" + c, "probability of class " + c, Meaning.PURE));
    }
    return new OutputForm(groups, Kind.CLASSES);
  }

  /**
   * TorchScript that turns the network's {@code y} into the file's.
   *
   * @param targetShape of one sample
   */
  String code(long[] targetShape) {
    return switch (kind) {
      case VALUES -> "";
      case NORMAL ->
          """
              parts = torch.chunk(y, 2, 1)
              y = torch.cat([parts[0], torch.sqrt(torch.exp(parts[1]) + SMALLEST)], 1)
          """
              .replace("SMALLEST", Double.toString(SMALLEST_VARIANCE));
      case CLASSES -> {
        boolean flat = targetShape.length == 1;
        yield """
            p = torch.softmax(SCORES, 1)
            y = torch.cat([torch.argmax(p, 1, True).to(FLOAT64), p], 1)FLAT
        """
            .replace("SCORES", flat ? "y.reshape([y.size(0), -1, " + targetShape[0] + "])" : "y")
            .replace("FLAT", flat ? ".flatten(1)" : "");
      }
    };
  }

  /** The names of all outputs, group by group. */
  public List<String> names(List<String> targets) {
    List<String> names = new ArrayList<>();
    for (Group group : groups) {
      targets.forEach(target -> names.add(target + group.suffix()));
    }
    return names;
  }
}
