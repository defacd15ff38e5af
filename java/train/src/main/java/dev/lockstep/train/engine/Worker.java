package dev.lockstep.train.engine;

import dev.lockstep.train.memory.ControlWords.Word;
import java.util.BitSet;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * A rank that computes gradients and updates parameters: the step, composed of parts. One object
 * may be several of them, as where the update is fused into the exchange.
 */
public final class Worker implements Role {
  private final Compute compute;
  private final GradientExchange exchange;
  private final Update update;
  private final ParameterExchange parameters;
  private final Precision precision;
  private final @Nullable Double clipNorm;
  private double learningRate;

  /**
   * Puts the parts together; owns none of them.
   *
   * @param clipNorm gradients of a larger 2-norm are scaled down to it; null for no clipping
   */
  public Worker(
      Compute compute,
      GradientExchange exchange,
      Update update,
      ParameterExchange parameters,
      Precision precision,
      @Nullable Double clipNorm) {
    this.compute = compute;
    this.exchange = exchange;
    this.update = update;
    this.parameters = parameters;
    this.precision = precision;
    this.clipNorm = clipNorm;
    // What is left out or scaled as a whole is known only when all gradients are.
    if (clipNorm == null && !precision.maySkip()) {
      exchange.whenReduced(range -> update.applyAhead(range, learningRate));
    }
  }

  @Override
  public StepReport step(Step step) {
    learningRate = step.learningRate();
    compute.begin(step);
    exchange.begin(step);
    double weight = exchange.weight(step.batch()) * precision.lossScale();
    double lossSum = compute.runAll(step.pieces(), weight, exchange, step.lossSum());
    Reduced reduced = exchange.complete(compute.computed());
    double lossScale = precision.lossScale();
    double scale = clipFactor(reduced) / lossScale;
    Precision.Verdict verdict = precision.judge(reduced);
    if (verdict == Precision.Verdict.SKIP) {
      compute.undo();
      Reduced none = reduced.withoutFailure();
      return new StepReport(step.lossSum(), none, parameters.afterUpdate(step, none), true);
    }
    if (verdict == Precision.Verdict.APPLY) {
      update.apply(reduced.owned(), step.learningRate(), scale);
    }
    Set<Word> agreed = parameters.afterUpdate(step, reduced);
    return new StepReport(lossSum, reduced.unscaled(lossScale), agreed);
  }

  /** As {@code torch.nn.utils.clip_grad_norm_}. */
  private double clipFactor(Reduced reduced) {
    if (clipNorm == null) {
      return 1;
    }
    double norm = Math.sqrt(reduced.squaredNorm()) / precision.lossScale();
    return Math.min(1, clipNorm / (norm + 1e-6));
  }

  @Override
  public Set<Word> synchronize(SyncPoint why) {
    return parameters.synchronize(why);
  }

  @Override
  public BitSet lost() {
    return parameters.lost();
  }

  @Override
  public boolean canLose(int rank) {
    return parameters.canLose(rank);
  }

  @Override
  public void goOn() {
    parameters.goOn();
  }

  @Override
  public Compute compute() {
    return compute;
  }

  @Override
  public double waitedSeconds() {
    return exchange.waitedSeconds() + parameters.waitedSeconds();
  }

  @Override
  public void declare(TrainingState state) {
    Set<Stateful> parts = Collections.newSetFromMap(new IdentityHashMap<>());
    for (Stateful part : List.of(compute, exchange, update, parameters, precision)) {
      if (parts.add(part)) {
        part.declare(state);
      }
    }
  }
}
