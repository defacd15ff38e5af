package dev.lockstep.localize.fit;

import dev.lockstep.localize.network.Network;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;

/**
 * How far a localisation is to be trusted.
 *
 * @param verdict in one word
 * @param reasons why it is not {@link Verdict#UNIQUE}, and what else is to be known; a sentence
 *     each
 */
public record Certainty(Verdict verdict, List<String> reasons) {
  private static final int NAMED = 5;

  /** From the best to the worst. */
  public enum Verdict {
    /** The distances fit, and no other places were found that they do not rule out. */
    UNIQUE,
    /** The distances fit, but some sensors could be elsewhere. */
    AMBIGUOUS,
    /** The distances do not fit the positions, or nothing is left to check them by. */
    DOUBTFUL;

    /** As in result.json. */
    @Override
    public String toString() {
      return name().toLowerCase(Locale.ROOT);
    }
  }

  /** Copies the list. */
  public Certainty {
    reasons = List.copyOf(reasons);
  }

  /**
   * Judges a localisation.
   *
   * @param parts of it, by themselves
   * @param ambiguous of its sensors
   * @param undetermined sensors whose distances determine no position
   */
  public static Certainty of(
      Network network,
      GoodnessOfFit fit,
      List<PartFit> parts,
      List<Ambiguity> ambiguous,
      List<Integer> undetermined) {
    List<String> reasons = new ArrayList<>();
    Verdict verdict = Verdict.UNIQUE;
    if (!ambiguous.isEmpty()) {
      verdict = Verdict.AMBIGUOUS;
      List<Integer> sensors = ambiguous.stream().map(Ambiguity::sensor).toList();
      reasons.add(named(network, sensors) + " could as well be elsewhere: see ambiguous");
    }
    if (!undetermined.isEmpty()) {
      verdict = Verdict.AMBIGUOUS;
      reasons.add("the distances do not determine " + named(network, undetermined));
    }
    if (fit.degreesOfFreedom() < 1) {
      verdict = Verdict.DOUBTFUL;
      reasons.add("there are no more distances than coordinates: nothing checks the positions");
    } else if (fit.rejects()) {
      verdict = Verdict.DOUBTFUL;
      reasons.add(misfit(fit));
    }
    // Of a single part it has been said.
    List<PartFit> misfits =
        parts.stream()
            .filter(part -> parts.size() > 1 && part.rejects(parts.size()))
            .sorted(Comparator.comparingDouble(part -> -part.chiSquare() / part.degreesOfFreedom()))
            .toList();
    if (!misfits.isEmpty()) {
      verdict = Verdict.DOUBTFUL;
    }
    misfits.stream().limit(NAMED).forEach(part -> reasons.add(misfit(network, part)));
    if (misfits.size() > NAMED) {
      int more = misfits.size() - NAMED;
      reasons.add(String.format(Locale.ROOT, "nor do those of %,d more parts: see parts", more));
    }
    return new Certainty(verdict, reasons);
  }

  /** This with a reason more, where distances were left out as outliers. */
  public Certainty leftOut(int ranges) {
    if (ranges == 0) {
      return this;
    }
    List<String> all = new ArrayList<>(reasons);
    all.add(
        String.format(
            Locale.ROOT,
            "located without %,d %s that nothing else agrees with: see worst_residuals",
            ranges,
            ranges == 1 ? "distance" : "distances"));
    return new Certainty(verdict, all);
  }

  /**
   * This with what speaks for it, where the relaxation's solution is no more than positions: its
   * rank is that of space, so that no other positions fit the squares of the distances as well.
   */
  public Certainty tight(boolean isTight) {
    if (!isTight) {
      return this;
    }
    List<String> all = new ArrayList<>(reasons);
    all.add(
        "the relaxation is tight: its solution has the rank of space, and no other positions fit"
            + " the squared distances as well");
    return new Certainty(verdict, all);
  }

  private static String misfit(GoodnessOfFit fit) {
    String worst =
        fit.worst().stream()
            .findFirst()
            .map(
                residual ->
                    String.format(
                        Locale.ROOT,
                        "; worst is %s to %s, measured %.4g, located %.4g",
                        residual.from(),
                        residual.to(),
                        residual.measured(),
                        residual.located()))
            .orElse("");
    return String.format(
            Locale.ROOT,
            "the distances do not fit: chi-square %.0f with %d degrees of freedom",
            fit.chiSquare(),
            fit.degreesOfFreedom())
        + worst
        + " (a wrong fold, an outlier, units that differ, or more noise than given)";
  }

  private static String misfit(Network network, PartFit part) {
    return String.format(
        Locale.ROOT,
        "the distances around %s do not fit: chi-square %.0f with %.0f degrees of freedom",
        named(network, part.sensors()),
        part.chiSquare(),
        part.degreesOfFreedom());
  }

  private static String named(Network network, List<Integer> sensors) {
    String first =
        sensors.stream().limit(NAMED).map(network::sensorName).collect(Collectors.joining(", "));
    String more =
        sensors.size() > NAMED
            ? String.format(Locale.ROOT, " and %,d more", sensors.size() - NAMED)
            : "";
    return (sensors.size() == 1 ? "sensor " : "sensors ") + first + more;
  }
}
