package dev.lockstep.train.strategy.server;

import dev.lockstep.data.DistributedSampler.Batch;
import dev.lockstep.train.engine.Compute;
import dev.lockstep.train.engine.Reduced;
import dev.lockstep.train.engine.Role;
import dev.lockstep.train.engine.Step;
import dev.lockstep.train.engine.StepReport;
import dev.lockstep.train.engine.SyncPoint;
import dev.lockstep.train.engine.TrainingState;
import dev.lockstep.train.memory.ControlWords.Word;
import java.util.BitSet;
import java.util.List;
import java.util.Set;

/**
 * A worker that leaves out steps which have been taken without it, or a rank that only serves. The
 * samples of a step that is left out count in the training loss as those of the step before.
 */
final class ServedRole implements Role {
  private final Role worker;
  private final PushPull exchange;
  private final boolean works;
  private double lastMean;

  ServedRole(Role worker, PushPull exchange, boolean works) {
    this.worker = worker;
    this.exchange = exchange;
    this.works = works;
  }

  @Override
  public StepReport step(Step step) {
    if (!works) {
      return withoutComputing(step, exchange.tick(step));
    }
    if (step.number() < exchange.next()) {
      return withoutComputing(step, exchange.agreed(step));
    }
    StepReport report = worker.step(step);
    Batch batch = step.batch();
    if (batch.count() > 0) {
      lastMean = (report.lossSum() - step.lossSum()) / batch.count();
    }
    return report;
  }

  private StepReport withoutComputing(Step step, Set<Word> agreed) {
    return new StepReport(
        step.lossSum() + lastMean * step.batch().count(),
        new Reduced(List.of(), 0, true, step.needs().words()),
        agreed);
  }

  @Override
  public Set<Word> synchronize(SyncPoint why) {
    return worker.synchronize(why);
  }

  @Override
  public BitSet lost() {
    return exchange.lost();
  }

  @Override
  public boolean canLose(int rank) {
    return exchange.canLose(rank);
  }

  @Override
  public void goOn() {
    worker.goOn();
  }

  @Override
  public Compute compute() {
    return worker.compute();
  }

  @Override
  public double waitedSeconds() {
    return worker.waitedSeconds();
  }

  @Override
  public void declare(TrainingState state) {
    worker.declare(state);
  }
}
