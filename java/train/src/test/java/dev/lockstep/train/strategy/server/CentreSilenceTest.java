package dev.lockstep.train.strategy.server;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.lockstep.checkpoint.Placement;
import dev.lockstep.comm.CollectiveTimeoutException;
import dev.lockstep.comm.Communicator;
import dev.lockstep.model.FloatType;
import dev.lockstep.model.Model;
import dev.lockstep.model.ModelConfig;
import dev.lockstep.testing.RankThreads;
import dev.lockstep.train.OptimizerConfig;
import dev.lockstep.train.TrainingConfig.LossType;
import dev.lockstep.train.engine.Loss;
import dev.lockstep.train.engine.Reduced;
import dev.lockstep.train.engine.Step;
import dev.lockstep.train.engine.SyncPoint;
import dev.lockstep.train.engine.TrainingState;
import dev.lockstep.train.memory.FlatParameters;
import dev.lockstep.train.optimizer.LocalOptimizer;
import dev.lockstep.train.strategy.OwnParameters;
import dev.lockstep.train.strategy.RoleContext;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * Whom a rank of asynchronous elastic averaging takes for silent while it waits for the others to
 * meet it. Deadlines pass when the test says so; those of the group are a minute.
 */
@Timeout(120)
class CentreSilenceTest {
  private static final int EVERY = 10;

  @Test
  void aRankWhoseStepsBetweenExchangesTakeSeveralDeadlinesTogetherIsNotSilent() throws Exception {
    CompletableFuture<Rank> first = new CompletableFuture<>();
    RankThreads.run(
        2,
        group -> {
          try (Rank rank = new Rank(group)) {
            if (group.rank() == 0) {
              first.complete(rank);
              rank.exchange.synchronize(SyncPoint.EVALUATION);
              return null;
            }
            SliceServer waiting = server(first.get(60, TimeUnit.SECONDS));
            until(waiting, server -> server.hasRequestOf(0));
            for (int step = 0; step < EVERY - 1; step++) {
              pass(waiting, Silence.PULSES / 2 + 1);
              pass(server(rank), 1);
              rank.step(step);
              until(waiting, server -> !server.isQuiet(1));
            }
            rank.exchange.synchronize(SyncPoint.EVALUATION);
            return null;
          }
        });
  }

  @Test
  void aRankThatTakesNoStepIs() throws Exception {
    CompletableFuture<Rank> first = new CompletableFuture<>();
    CountDownLatch told = new CountDownLatch(1);
    RankThreads.run(
        2,
        group -> {
          try (Rank rank = new Rank(group)) {
            if (group.rank() == 0) {
              first.complete(rank);
              CollectiveTimeoutException e =
                  assertThrows(
                      CollectiveTimeoutException.class,
                      () -> rank.exchange.synchronize(SyncPoint.EVALUATION));
              assertEquals(1, e.rank(), e.getMessage());
              told.countDown();
              return null;
            }
            SliceServer waiting = server(first.get(60, TimeUnit.SECONDS));
            until(waiting, server -> server.hasRequestOf(0));
            rank.step(0);
            pass(waiting, Silence.PULSES + 1);
            // Rank 0 has asked both servers.
            until(server(rank), server -> server.hasRequestOf(0));
            pass(server(rank), Silence.PULSES + 1);
            assertTrue(told.await(60, TimeUnit.SECONDS));
            return null;
          }
        });
  }

  private static SliceServer server(Rank rank) {
    return Objects.requireNonNull(rank.exchange.server());
  }

  private static void pass(SliceServer server, int pulses) {
    onServer(
        server,
        any -> {
          for (int i = 0; i < pulses; i++) {
            any.pulse();
          }
          return true;
        });
  }

  private static void until(SliceServer server, Predicate<SliceServer> holds) {
    while (!onServer(server, holds)) {
      Thread.yield();
    }
  }

  private static boolean onServer(SliceServer server, Predicate<SliceServer> act) {
    CompletableFuture<Boolean> done = new CompletableFuture<>();
    server.tell(
        () -> {
          boolean result = false;
          try {
            result = act.test(server);
          } finally {
            done.complete(result);
          }
        });
    return done.orTimeout(60, TimeUnit.SECONDS).join();
  }

  /** A rank with one parameter. */
  private static final class Rank implements AutoCloseable {
    private final Model model;
    private final RoleContext context;
    final CentreExchange exchange;

    Rank(Communicator group) {
      ModelConfig config = ModelConfig.of(null, List.of(), null, null, FloatType.FLOAT64);
      model = Model.mlp(config, 1, 1, 1);
      context =
          new RoleContext(
              group, model, OptimizerConfig.defaults(), new Loss(LossType.MSE, 1), null, 1, null);
      FlatParameters parameters = context.parameters();
      exchange =
          context.own(
              new CentreExchange(
                  EVERY,
                  0.1,
                  context,
                  parameters,
                  context.buffers(),
                  context.own(new LocalOptimizer(context.optimizer(), parameters)),
                  context.own(new OwnParameters(parameters, Placement.Resize.FIRST))));
      TrainingState state = new TrainingState();
      exchange.declare(state);
      state.broadcast(group);
    }

    void step(int step) {
      Step now = new Step(step, Step.NONE.batch(), List.of(), 0.1, 0, Step.NONE.needs());
      exchange.begin(now);
      exchange.afterUpdate(now, new Reduced(List.of(), 0, true, Set.of()));
    }

    @Override
    public void close() {
      try (model) {
        context.close();
      }
    }
  }
}
