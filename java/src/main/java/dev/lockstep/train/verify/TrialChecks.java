package dev.lockstep.train.verify;

import dev.lockstep.comm.CommunicationException;
import dev.lockstep.data.DataConfig;
import dev.lockstep.data.FeatureConfig;
import dev.lockstep.data.Split;
import dev.lockstep.data.SyntheticConfig;
import dev.lockstep.train.verify.TrialGroup.Conditions;
import dev.lockstep.train.verify.TrialGroup.Ending;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.function.Supplier;
import java.util.stream.Stream;

/**
 * What the checks of all ways of training have in common: how a check becomes a finding, how a rank
 * is lost, what the others must be told of it, and on which data.
 */
public final class TrialChecks {
  /** Seconds; far above what an operation takes on a machine that does other work. */
  public static final double TIMEOUT_SECONDS = 30;

  /** How long survivors wait for a rank that says nothing. */
  public static final double SILENCE_TIMEOUT_SECONDS = 1.5;

  private static final double VALIDATION_FRACTION = 0.2;

  private TrialChecks() {}

  /** What a check found wrong. */
  public static final class Wrong extends Exception {
    private static final long serialVersionUID = 1;

    /** With what it is, in a line. */
    public Wrong(String what) {
      super(what);
    }
  }

  /** A check. */
  public interface Check {
    /**
     * Runs it.
     *
     * @return the detail of its finding
     */
    String run() throws Wrong;
  }

  /** The finding of a check, which runs when it is asked for. */
  public static Supplier<Finding> finding(String type, String setting, String name, Check check) {
    return () -> {
      try {
        return new Finding(type, setting, name, true, check.run());
      } catch (Wrong e) {
        return new Finding(type, setting, name, false, String.valueOf(e.getMessage()));
      } catch (RuntimeException e) {
        return new Finding(type, setting, name, false, e.toString());
      }
    };
  }

  /**
   * A run in which one rank is lost.
   *
   * @param at the operation at which it is
   * @param silent whether it stays there and says nothing until the others have ended, instead of
   *     ending
   */
  public static Conditions fault(VerificationPlan plan, int gone, long at, boolean silent) {
    CountDownLatch others = new CountDownLatch(plan.ranks() - 1);
    return new Conditions() {
      @Override
      public Disturbance of(int rank) {
        if (rank != gone) {
          return Disturbance.NONE;
        }
        return silent ? Disturbance.silence(at, others, plan.limit()) : Disturbance.kill(at);
      }

      @Override
      public void ended(int rank) {
        if (rank != gone) {
          others.countDown();
        }
      }
    };
  }

  /** All ranks but one must have been told of a failure. */
  public static void checkTold(VerificationPlan plan, List<? extends Ending<?>> endings, int gone)
      throws Wrong {
    for (int rank = 0; rank < endings.size(); rank++) {
      Ending<?> ending = endings.get(rank);
      if (rank != gone && !(ending.failure() instanceof CommunicationException)) {
        throw new Wrong("rank " + rank + " " + described(plan, ending));
      }
    }
  }

  /** All ranks must have come to an end, and without a failure. */
  public static void checkEnded(VerificationPlan plan, List<? extends Ending<?>> endings)
      throws Wrong {
    for (int rank = 0; rank < endings.size(); rank++) {
      Ending<?> ending = endings.get(rank);
      if (ending.hangs() || ending.failure() != null) {
        throw new Wrong("rank " + rank + " " + described(plan, ending));
      }
    }
  }

  private static String described(VerificationPlan plan, Ending<?> ending) {
    if (ending.hangs()) {
      return "still runs after " + plan.limit().toSeconds() + " s";
    }
    return "ends with " + (ending.failure() == null ? "success" : ending.failure());
  }

  /** Of a made-up regression problem with four features and two targets. */
  public static DataConfig data(int samples) {
    return new DataConfig(
        null,
        DataConfig.Format.AUTO,
        new SyntheticConfig(samples, 4, 2, 0.1, 5),
        Stream.of("x0", "x1", "x2", "x3").map(FeatureConfig::of).toList(),
        List.of("y0", "y1"),
        true,
        0,
        0);
  }

  /** Of so many samples a fifth is held out. */
  public static Split split(int samples) {
    return Split.of(samples, VALIDATION_FRACTION, 1);
  }
}
