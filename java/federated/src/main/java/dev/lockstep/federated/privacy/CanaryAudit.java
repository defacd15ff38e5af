package dev.lockstep.federated.privacy;

import static java.util.Objects.requireNonNull;

import java.util.Arrays;
import java.util.Comparator;
import java.util.Locale;

/**
 * Measures a lower bound of ε, by canaries: clients whose updates are made so that they can be
 * found again in what the server publishes. Each takes part with probability 1/2; from the
 * published means one guesses who did. Who guesses better than ε allows refutes that ε (Steinke,
 * Nasr and Jagielski 2023, "Privacy auditing with one (1) training run", theorem 5.2).
 *
 * <p>A canary has coordinates of its own, a block of the parameters, and random signs there; so
 * canaries do not disturb each other, and a model's training disturbs them only by what it has in
 * their direction. A lower bound above the accountant's upper one means that the mechanism or its
 * accounting is wrong. A low one proves nothing. Not thread-safe.
 */
public final class CanaryAudit {
  private final boolean[] included;
  private final boolean[] negative;
  private final double[] scores;
  private final int blockLength;

  /**
   * Draws who takes part, and the signs.
   *
   * @param canaries how many
   * @param parameters the length of an update, at least as many
   * @param key that decides; what is audited does not have it
   * @throws IllegalArgumentException for no canary, or fewer parameters than canaries
   */
  public CanaryAudit(int canaries, int parameters, NoiseKey key) {
    requireNonNull(key, "key");
    if (canaries < 1 || canaries > parameters) {
      throw new IllegalArgumentException(
          "canaries must be from 1 to " + parameters + ", the parameters, not " + canaries);
    }
    KeyedStream stream = key.stream(NoiseKey.Purpose.CANARIES, 0);
    blockLength = parameters / canaries;
    included = new boolean[canaries];
    negative = new boolean[canaries * blockLength];
    scores = new double[canaries];
    for (int i = 0; i < canaries; i++) {
      included[i] = stream.nextBit();
    }
    for (int i = 0; i < negative.length; i++) {
      negative[i] = stream.nextBit();
    }
  }

  /** How many canaries there are. */
  public int canaries() {
    return included.length;
  }

  /**
   * What a canary sends whenever it is drawn: its direction, as long as the norm, or only zeros if
   * it does not take part.
   *
   * @param parameters the length of the update
   * @param clipNorm the round's norm
   */
  public float[] update(int canary, int parameters, double clipNorm) {
    float[] update = new float[parameters];
    if (included[canary]) {
      float size = (float) (clipNorm / Math.sqrt(blockLength));
      int begin = canary * blockLength;
      for (int i = begin; i < begin + blockLength; i++) {
        update[i] = negative[i] ? -size : size;
      }
    }
    return update;
  }

  /** Looks for all canaries in what a round published. */
  public void observe(float[] mean) {
    requireNonNull(mean, "mean");
    for (int canary = 0; canary < scores.length; canary++) {
      int begin = canary * blockLength;
      for (int i = begin; i < begin + blockLength; i++) {
        scores[canary] += negative[i] ? -mean[i] : mean[i];
      }
    }
  }

  /**
   * What was found.
   *
   * @param canaries how many there were
   * @param guesses about how many of them it was guessed whether they took part
   * @param correct how many guesses were right
   * @param delta the δ with which ε is meant
   * @param confidence the probability with which the bound holds
   * @param epsilon the lower bound; 0 if nothing was learnt
   */
  public record Result(
      int canaries, int guesses, int correct, double delta, double confidence, double epsilon) {
    /** Both bounds on one line. */
    public String next(RenyiAccountant.Bound upper) {
      return String.format(
          Locale.ROOT,
          "epsilon at delta %.3g: at least %.4f (%d of %d guesses about %d canaries, confidence %.3g),"
              + " at most %.4f (order %.4g)",
          delta,
          epsilon,
          correct,
          guesses,
          canaries,
          confidence,
          upper.epsilon(),
          upper.order());
    }
  }

  /**
   * Guesses that the canaries with the highest scores took part and those with the lowest did not.
   *
   * @param guesses even, at most the canaries; chosen beforehand, not by what they give
   * @param delta from 0, below 1
   * @param confidence such as 0.95
   * @throws IllegalArgumentException for numbers out of range
   */
  public Result result(int guesses, double delta, double confidence) {
    if (guesses < 2 || guesses > scores.length || guesses % 2 != 0) {
      throw new IllegalArgumentException(
          "guesses must be even, from 2 to " + scores.length + ", not " + guesses);
    }
    if (!(delta >= 0 && delta < 1) || !(confidence > 0 && confidence < 1)) {
      throw new IllegalArgumentException(
          "delta and confidence must be below 1, not " + delta + " and " + confidence);
    }
    Integer[] byScore = new Integer[scores.length];
    Arrays.setAll(byScore, i -> i);
    Arrays.sort(byScore, Comparator.comparingDouble(i -> scores[i]));
    int correct = 0;
    for (int i = 0; i < guesses / 2; i++) {
      correct += included[byScore[i]] ? 0 : 1;
      correct += included[byScore[scores.length - 1 - i]] ? 1 : 0;
    }
    double epsilon =
        GuessingBound.lowerEpsilon(scores.length, guesses, correct, delta, 1 - confidence);
    return new Result(scores.length, guesses, correct, delta, confidence, epsilon);
  }

  /**
   * Runs the mechanism itself on canaries alone, one parameter each, for as many rounds as a run
   * has: its sampling, clipping, rounding, noise and denominator, without a model.
   *
   * @param mechanism what to audit
   * @param rounds as the run has them
   * @param canaries at most the population; the other clients send zeros
   * @param key from which everything is drawn; not that of the run
   */
  public static CanaryAudit ofMechanism(
      DifferentialPrivacy mechanism, long rounds, int canaries, NoiseKey key) {
    requireNonNull(key, "key");
    ClientSampling sampling = requireNonNull(mechanism, "mechanism").sampling();
    if (canaries > sampling.population()) {
      throw new IllegalArgumentException(
          "canaries must be at most " + sampling.population() + ", the clients, not " + canaries);
    }
    CanaryAudit audit = new CanaryAudit(canaries, canaries, key);
    double clipNorm = mechanism.clipNorm();
    float[] nothing = new float[canaries];
    for (long round = 0; round < rounds; round++) {
      long[] sum = new long[mechanism.contributionLength(canaries)];
      for (int client : sampling.draw(key, round)) {
        float[] update = client < canaries ? audit.update(client, canaries, clipNorm) : nothing;
        long[] contribution = mechanism.contribution(update, clipNorm);
        Arrays.setAll(sum, i -> sum[i] + contribution[i]);
      }
      DifferentialPrivacy.Release release = mechanism.release(sum, clipNorm, key, round);
      audit.observe(release.mean());
      clipNorm = release.nextClipNorm();
    }
    return audit;
  }
}
