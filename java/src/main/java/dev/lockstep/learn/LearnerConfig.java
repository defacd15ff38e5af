package dev.lockstep.learn;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonProperty;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The {@code learner} section of a fit. Each type has keys of its own, with the names of LightGBM
 * where they mean the same; a key of another type is refused.
 *
 * @param type which learner
 * @param clusters k-means: how many
 * @param initialization k-means: how the first centres are chosen
 * @param centers k-means: the first centres themselves, a list of lists
 * @param oversampling k-means||: candidates of a round, as a multiple of the clusters
 * @param seedingRounds k-means||: rounds
 * @param restarts k-means: starts, of which the best wins
 * @param maxIterations k-means: of each start
 * @param tolerance k-means: squared movement that ends a start, relative to the mean variance
 * @param batchShare k-means: the share of rows in a mini-batch; 1 for all
 * @param silhouetteSample k-means: rows among which the silhouette is measured
 * @param acceleration k-means: which bounds spare distances; the result is the same
 */
@JsonInclude(JsonInclude.Include.NON_NULL)
public record LearnerConfig(
    Type type,
    @Nullable Integer clusters,
    KMeans.@Nullable Initialization initialization,
    @Nullable List<List<Double>> centers,
    @Nullable Double oversampling,
    @Nullable Integer seedingRounds,
    @Nullable Integer restarts,
    @Nullable Integer maxIterations,
    @Nullable Double tolerance,
    @Nullable Double batchShare,
    @Nullable Integer silhouetteSample,
    KMeans.@Nullable Acceleration acceleration) {

  /** Which learner. */
  public enum Type {
    /** Clusters around means. */
    @JsonProperty("kmeans")
    KMEANS
  }

  /**
   * Fills in the defaults of the type's keys.
   *
   * @throws IllegalArgumentException naming a key that is not the type's
   */
  public LearnerConfig {
    if (type == null) {
      throw new IllegalArgumentException("type: name the learner, as in type: kmeans");
    }
    Keys kmeans = new Keys(type, type == Type.KMEANS);
    clusters = kmeans.key("clusters", clusters, 8);
    initialization = kmeans.key("initialization", initialization, KMeans.Initialization.PARALLEL);
    kmeans.optional("centers", centers);
    oversampling = kmeans.key("oversampling", oversampling, 2.0);
    seedingRounds = kmeans.key("seeding_rounds", seedingRounds, 5);
    restarts = kmeans.key("restarts", restarts, 1);
    maxIterations = kmeans.key("max_iterations", maxIterations, 300);
    tolerance = kmeans.key("tolerance", tolerance, 0.0);
    batchShare = kmeans.key("batch_share", batchShare, 1.0);
    silhouetteSample = kmeans.key("silhouette_sample", silhouetteSample, 1000);
    acceleration = kmeans.key("acceleration", acceleration, KMeans.Acceleration.AUTO);
  }

  /** The keys that some types have. */
  private record Keys(Type type, boolean apply) {
    <T> @Nullable T key(String name, @Nullable T value, T standard) {
      optional(name, value);
      return apply && value == null ? standard : value;
    }

    void optional(String name, @Nullable Object value) {
      if (!apply && value != null) {
        throw new IllegalArgumentException(
            name + ": is no setting of " + type.name().toLowerCase(java.util.Locale.ROOT));
      }
    }
  }
}
