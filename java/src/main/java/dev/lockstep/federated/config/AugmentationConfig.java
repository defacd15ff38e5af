package dev.lockstep.federated.config;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonProperty;
import dev.lockstep.train.Checks;
import org.jspecify.annotations.Nullable;

/**
 * The key {@code federation.augmentation}: how clients vary their images in each pass, for models
 * of type {@code cnn}. The pixels of a channel are then normalised alike, for they move.
 *
 * @param crop by how many pixels, at most, an image is shifted in each direction, at least 0; what
 *     comes in is 0, in the features' own units
 * @param flip whether left and right are exchanged with probability ½
 */
public record AugmentationConfig(int crop, boolean flip) {
  /**
   * Checks the ranges.
   *
   * @throws IllegalArgumentException naming the key
   */
  public AugmentationConfig {
    Checks.atLeast("crop", crop, 0);
  }

  /** From the keys that a file gives; the others take their defaults. */
  @JsonCreator
  public static AugmentationConfig of(
      @JsonProperty("crop") @Nullable Integer crop, @JsonProperty("flip") @Nullable Boolean flip) {
    return new AugmentationConfig(crop == null ? 0 : crop, flip != null && flip);
  }
}
