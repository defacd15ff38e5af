package dev.lockstep.learn;

import dev.lockstep.comm.Communicator;
import java.util.List;
import java.util.Objects;

/** From a configuration to a fitted model. */
public final class Learners {
  private Learners() {}

  /**
   * Fits what a configuration asks for; collective.
   *
   * @param ranks all of whose ranks call
   * @param table this rank's rows
   * @throws LearningException as the learners' {@code fit}
   * @throws IllegalArgumentException for settings or data that cannot be right
   */
  public static LearnedModel fit(
      LearnerConfig config,
      FitDataConfig data,
      long seed,
      Communicator ranks,
      Table table,
      FitListener listener) {
    return switch (config.type()) {
      case KMEANS -> kMeans(config, seed, ranks, listener).fit(table);
      case FOREST -> forest(config, data, seed, ranks, listener).fit(table);
      case BOOSTING -> boosting(config, data, seed, ranks, listener).fit(table);
    };
  }

  private static KMeans kMeans(
      LearnerConfig config, long seed, Communicator ranks, FitListener listener) {
    KMeansBuilder builder =
        KMeans.builder(ranks)
            .clusters(Objects.requireNonNull(config.clusters()))
            .initialization(Objects.requireNonNull(config.initialization()))
            .oversampling(Objects.requireNonNull(config.oversampling()))
            .rounds(Objects.requireNonNull(config.seedingRounds()))
            .restarts(Objects.requireNonNull(config.restarts()))
            .maxIterations(Objects.requireNonNull(config.maxIterations()))
            .tolerance(Objects.requireNonNull(config.tolerance()))
            .batchShare(Objects.requireNonNull(config.batchShare()))
            .silhouetteSample(Objects.requireNonNull(config.silhouetteSample()))
            .acceleration(Objects.requireNonNull(config.acceleration()))
            .seed(seed)
            .listener(listener);
    List<List<Double>> centers = config.centers();
    if (centers != null) {
      builder.centers(
          centers.stream()
              .map(one -> one.stream().mapToDouble(Double::doubleValue).toArray())
              .toArray(double[][]::new));
    }
    return builder.build();
  }

  private static Forest forest(
      LearnerConfig config,
      FitDataConfig data,
      long seed,
      Communicator ranks,
      FitListener listener) {
    return Forest.builder(ranks)
        .objective(config.objective())
        .trees(Objects.requireNonNull(config.trees()))
        .monotoneConstraints(Objects.requireNonNull(config.monotoneConstraints()))
        .maxDepth(Objects.requireNonNull(config.maxDepth()))
        .maxBin(Objects.requireNonNull(config.maxBin()))
        .minDataInLeaf(Objects.requireNonNull(config.minDataInLeaf()))
        .minGainToSplit(Objects.requireNonNull(config.minGainToSplit()))
        .featureFractionBynode(config.featureFractionBynode())
        .permutationSample(Objects.requireNonNull(config.permutationSample()))
        .validationFraction(data.validationFraction())
        .seed(seed)
        .listener(listener)
        .build();
  }

  private static Boosting boosting(
      LearnerConfig config,
      FitDataConfig data,
      long seed,
      Communicator ranks,
      FitListener listener) {
    return Boosting.builder(ranks)
        .objective(config.objective())
        .growPolicy(Objects.requireNonNull(config.growPolicy()))
        .monotoneConstraints(Objects.requireNonNull(config.monotoneConstraints()))
        .trainLoss(Objects.requireNonNull(config.trainLoss()))
        .rounds(Objects.requireNonNull(config.rounds()))
        .learningRate(Objects.requireNonNull(config.learningRate()))
        .numLeaves(Objects.requireNonNull(config.numLeaves()))
        .maxDepth(Objects.requireNonNull(config.maxDepth()))
        .maxBin(Objects.requireNonNull(config.maxBin()))
        .minDataInLeaf(Objects.requireNonNull(config.minDataInLeaf()))
        .minSumHessianInLeaf(Objects.requireNonNull(config.minSumHessianInLeaf()))
        .lambdaL2(Objects.requireNonNull(config.lambdaL2()))
        .minGainToSplit(Objects.requireNonNull(config.minGainToSplit()))
        .featureFraction(Objects.requireNonNull(config.featureFraction()))
        .featureFractionBynode(Objects.requireNonNull(config.featureFractionBynode()))
        .baggingFraction(Objects.requireNonNull(config.baggingFraction()))
        .earlyStoppingRound(Objects.requireNonNull(config.earlyStoppingRound()))
        .catSmooth(Objects.requireNonNull(config.catSmooth()))
        .catL2(Objects.requireNonNull(config.catL2()))
        .permutationSample(Objects.requireNonNull(config.permutationSample()))
        .validationFraction(data.validationFraction())
        .seed(seed)
        .listener(listener)
        .build();
  }
}
