package dev.lockstep.train.strategy.server;

import dev.lockstep.comm.Communicator;
import dev.lockstep.data.DistributedSampler.Batch;
import dev.lockstep.model.FloatType;
import dev.lockstep.model.Model;
import dev.lockstep.model.ModelConfig;
import dev.lockstep.train.TrainingConfig.LossType;
import dev.lockstep.train.engine.Computed;
import dev.lockstep.train.engine.Loss;
import dev.lockstep.train.engine.Reduced;
import dev.lockstep.train.engine.Step;
import dev.lockstep.train.engine.SyncPoint;
import dev.lockstep.train.engine.TrainingState;
import dev.lockstep.train.memory.FlatBuffers;
import dev.lockstep.train.memory.FlatLayout.Slot;
import dev.lockstep.train.memory.FlatParameters;
import dev.lockstep.train.memory.NativeView;
import dev.lockstep.train.strategy.RoleContext;
import dev.lockstep.train.strategy.VerifiedSetting;
import dev.lockstep.train.strategy.server.ParameterServerStrategy.Options;
import java.util.BitSet;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;
import java.util.stream.IntStream;

/**
 * A rank whose mean gradient is 1 of the parameter of its own number and 0 of all others, so that
 * parameters count updates. They begin as 0. It is worker and server, or one of them alone.
 */
final class ServedRank implements AutoCloseable {
  private final int ranks;
  private final int number;
  private final Model model;
  private final RoleContext context;
  private final FlatParameters parameters;
  private final Serving serving;
  private final PushPull exchange;
  private final BitSet used = new BitSet();

  ServedRank(Communicator group, Options options, Staleness staleness) {
    ranks = group.size();
    number = group.rank();
    // The weights of so many inputs less one, then the bias: two tensors, on different servers.
    model =
        Model.mlp(ModelConfig.of(null, List.of(), null, null, FloatType.FLOAT64), ranks - 1, 1, 1);
    context =
        new RoleContext(
            group, model, VerifiedSetting.SGD, new Loss(LossType.MSE, 1), null, 1, null);
    parameters = context.parameters();
    serving = new Serving(options, ranks);
    ServedSlice slice =
        context.own(
            new ServedSlice(VerifiedSetting.SGD, parameters.layout(), number, serving.servers()));
    exchange =
        context.own(new PushPull(serving, group, parameters, context.buffers(), slice, staleness));
    TrainingState state = new TrainingState();
    exchange.declare(state);
    parameters.values().zero();
    state.broadcast(group);
    used.set(0, parameters.count());
  }

  /** Takes a step with one of as many samples as there are ranks. */
  void step(long step, double learningRate) {
    Step now =
        new Step(
            step,
            new Batch(new long[0], 0, 1, ranks),
            List.of(),
            learningRate,
            0,
            Step.NONE.needs());
    if (!serving.works(number)) {
      exchange.tick(now);
      return;
    }
    exchange.begin(now);
    parameters.gradients().zero();
    NativeView.bytes(address(parameters.gradients(), number), Double.BYTES)
        .putDouble(0, exchange.weight(now.batch()));
    Reduced reduced = exchange.complete(new Computed(true, used, parameters.count()));
    exchange.apply(reduced.owned(), learningRate, 1);
    exchange.afterUpdate(now, reduced);
  }

  /** The step that the servers say to go on with. */
  long next() {
    return exchange.next();
  }

  void meet() {
    exchange.synchronize(SyncPoint.END);
  }

  /** What meeting has paused goes on. */
  void goOn() {
    exchange.goOn();
  }

  /** Has so many pulses of this rank's server pass, in which all processes run. */
  void pass(int pulses) {
    passWithout(-1, pulses);
  }

  /** Has so many pulses of this rank's server pass, in which one rank's process has stopped. */
  void passWithout(int stopped, int pulses) {
    onServer(
        server -> {
          for (int i = 0; i < pulses; i++) {
            for (int rank = 0; rank < ranks; rank++) {
              if (serving.canLose(rank) && (i == 0 || rank != stopped)) {
                server.signed(rank, SignOfLife.Of.PROCESS);
              }
            }
            server.pulse();
          }
          return true;
        });
  }

  /** Waits until this rank's server has all of these ranks' requests. */
  void awaitRequestsOf(int... ranks) {
    while (!onServer(server -> IntStream.of(ranks).allMatch(server::hasRequestOf))) {
      Thread.yield();
    }
  }

  /** On the server's thread, after what it has been told before. */
  private boolean onServer(Predicate<SliceServer> act) {
    SliceServer server = Objects.requireNonNull(exchange.server());
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

  /** Has something fail in this rank's server. */
  void failServer(RuntimeException why) {
    onServer(
        server -> {
          throw why;
        });
  }

  /** The ranks that are gone, by what rank 0 has said last. */
  BitSet lost() {
    return exchange.lost();
  }

  /** What has been taken from each parameter. */
  double[] counts() {
    double[] counts = new double[ranks];
    for (int q = 0; q < ranks; q++) {
      counts[q] = -NativeView.bytes(address(parameters.values(), q), Double.BYTES).getDouble(0);
    }
    return counts;
  }

  private long address(FlatBuffers flat, int parameter) {
    boolean bias = parameter == ranks - 1;
    Slot slot = flat.layout().slots().get(bias ? 1 : 0);
    return flat.address(slot) + (bias ? 0 : (long) parameter * Double.BYTES);
  }

  @Override
  public void close() {
    try (model) {
      context.close();
    }
  }
}
