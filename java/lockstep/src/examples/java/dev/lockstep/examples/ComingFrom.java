package dev.lockstep.examples;

import dev.lockstep.comm.Channel;
import dev.lockstep.comm.CommunicationStats;
import dev.lockstep.comm.Communicator;
import dev.lockstep.comm.ReduceOp;
import dev.lockstep.comm.Span;
import dev.lockstep.comm.Work;
import dev.lockstep.data.DataPartitioner;
import dev.lockstep.data.Dataset;
import dev.lockstep.data.DistributedSampler;
import dev.lockstep.data.JobPartitioner;
import dev.lockstep.data.Split;
import dev.lockstep.model.Predictor;
import dev.lockstep.monitor.RunFolder;
import dev.lockstep.monitor.TrainingEvent.EpochDone;
import dev.lockstep.monitor.TrainingListener;
import dev.lockstep.train.PrecisionConfig;
import dev.lockstep.train.StrategyConfig;
import dev.lockstep.train.TrainingConfig;
import dev.lockstep.train.TrainingJob;
import dev.lockstep.train.TrainingPlan;
import dev.lockstep.train.TrainingResult;
import dev.lockstep.train.compression.CompressionConfig;
import dev.lockstep.train.server.ParameterStore;
import dev.lockstep.train.strategy.DataParallel;
import dev.lockstep.train.strategy.Diloco;
import dev.lockstep.train.strategy.LocalSgd;
import dev.lockstep.train.strategy.server.ParameterServerStrategy;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The lines of docs/coming-from.md, each of which stands here word by word. */
public final class ComingFrom {
  private static final Logger log = LoggerFactory.getLogger(ComingFrom.class);

  private ComingFrom() {}

  /** A trainer, its call-backs and its checkpoints. */
  public static TrainingResult train(
      TrainingPlan plan, Dataset rows, Communicator ranks, Path folder, boolean again) {
    TrainingListener listener =
        event -> {
          if (event instanceof EpochDone done) log.info("{}", done.epoch());
        };
    Split split = Split.of(rows.size(), 0.2, plan.seed());
    TrainingJob job =
        new TrainingJob(plan, rows, split, ranks, listener, Optional.of(new RunFolder(folder)));
    TrainingResult result = job.run(again);
    return result;
  }

  /** Ways of working together. */
  public static List<StrategyConfig> strategies() {
    DataParallel.Options dataParallel = DataParallel.Options.defaults();
    return List.of(
        StrategyConfig.of(dataParallel),
        StrategyConfig.of(dataParallel.withSharding(1)),
        StrategyConfig.of(dataParallel.withSharding(3)),
        StrategyConfig.of(dataParallel.withCompression(CompressionConfig.of("int8"))),
        StrategyConfig.of(
            dataParallel.withCompression(CompressionConfig.of("top_k").withDensity(0.01, 0))),
        StrategyConfig.of(
            dataParallel.withCompression(CompressionConfig.of("power_sgd").withRank(4, 2))),
        StrategyConfig.of(dataParallel.withCompression(CompressionConfig.of("fp16"))),
        StrategyConfig.of(ParameterServerStrategy.Options.bounded(4)),
        StrategyConfig.of(new LocalSgd.Options(50)),
        StrategyConfig.of(Diloco.Options.of(50, 4, 5, null, null, null, null)));
  }

  /** What a step computes in. */
  public static TrainingConfig precision(TrainingPlan plan) {
    return plan.training().withPrecision(PrecisionConfig.of("bf16"));
  }

  /** Parameters on a server. */
  public static float[] serve(ParameterStore server, float[] weights, float[] gradient) {
    server.set("weights", weights);
    server.accumulate("weights", gradient);
    if (server.isReady("weights")) {
      server.apply("weights");
    }
    server.clear("weights");
    return server.get("weights");
  }

  /** Samples. */
  public static void share(long[] samples, Communicator ranks) {
    DataPartitioner.Range own =
        new DataPartitioner(samples.length, ranks.size()).partition(ranks.rank());
    DistributedSampler sampler =
        new DistributedSampler(samples, 256, 1, ranks.rank(), ranks.size());
    log.info("{} samples, {} steps an epoch", own.size(), sampler.stepsPerEpoch());
  }

  /** Jobs. */
  public static List<List<Integer>> share(double[] costs, int workers) {
    List<List<Integer>> jobs = JobPartitioner.longestFirst(costs, workers).workers();
    return jobs;
  }

  /** Collectives, messages, groups, statistics. */
  public static void communicate(Span data, Span more, double weight, int peer) {
    try (Communicator ranks = Communicator.fromEnvironment()) {
      int rank = ranks.rank();
      int size = ranks.size();
      ranks.allReduce(data, ReduceOp.SUM);
      ranks.allReduce(data, ReduceOp.AVERAGE);
      ranks.weightedAverage(data, weight);
      Work work = ranks.allReduceAsync(data, ReduceOp.SUM);
      work.await();
      ranks.broadcast(data, 0);
      ranks.allGather(data, more);
      ranks.reduceScatter(more, data, ReduceOp.SUM);
      ranks.barrier();
      Channel channel = ranks.channel(peer, 1);
      channel.send(data).await();
      Work arriving = channel.receive(data);
      arriving.await();
      Communicator half = ranks.split(rank % 2, rank);
      half.close();
      CommunicationStats spent = ranks.statistics();
      log.info("rank {} of {}: {} s", rank, size, spent.seconds());
    }
  }

  /** Predictions with what a run leaves. */
  public static double[] predict(Path file, double[] features) {
    try (Predictor predictor = Predictor.load(file)) {
      return predictor.predict(features);
    }
  }
}
