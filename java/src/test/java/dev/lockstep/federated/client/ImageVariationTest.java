package dev.lockstep.federated.client;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.lockstep.data.Dataset;
import dev.lockstep.data.Normalizer;
import dev.lockstep.federated.config.AugmentationConfig;
import dev.lockstep.federated.config.FederationConfig;
import dev.lockstep.federated.config.FederationPlan;
import dev.lockstep.model.ModelConfig;
import dev.lockstep.train.OptimizerConfig;
import java.lang.reflect.Proxy;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** Images of two channels, three rows and four columns, whose pixels all differ. */
class ImageVariationTest {
  private static final List<Integer> IMAGE = List.of(2, 3, 4);
  private static final int WIDTH = 24;

  /** Pixel p of sample s is 100 s + p + 1. */
  private static Dataset images() {
    return (Dataset)
        Proxy.newProxyInstance(
            Dataset.class.getClassLoader(),
            new Class<?>[] {Dataset.class},
            (proxy, method, arguments) ->
                switch (method.getName()) {
                  case "featureNames" -> IntStream.range(0, WIDTH).mapToObj(i -> "p" + i).toList();
                  case "targetNames" -> List.of("class");
                  case "cells" -> 1;
                  case "rowsAtOnce" -> 2;
                  case "read" -> {
                    long[] indices = (long[]) arguments[0];
                    double[] features = (double[]) arguments[3];
                    for (int i = 0; i < (int) arguments[2]; i++) {
                      long sample = indices[(int) arguments[1] + i];
                      for (int p = 0; p < WIDTH; p++) {
                        features[i * WIDTH + p] = 100 * sample + p + 1;
                      }
                    }
                    yield null;
                  }
                  default -> throw new UnsupportedOperationException(method.getName());
                });
  }

  private static double[] read(Dataset data, int samples) {
    double[] features = new double[samples * WIDTH];
    data.read(new long[samples], 0, samples, features, new double[samples]);
    return features;
  }

  /** What an image is that is shifted, and then mirrored. */
  private static double[] expected(int down, int right, boolean mirrored) {
    double[] image = new double[WIDTH];
    for (int channel = 0; channel < 2; channel++) {
      for (int row = 0; row < 3; row++) {
        for (int column = 0; column < 4; column++) {
          int fromRow = row + down;
          int fromColumn = (mirrored ? 3 - column : column) + right;
          boolean inside = fromRow >= 0 && fromRow < 3 && fromColumn >= 0 && fromColumn < 4;
          image[channel * 12 + row * 4 + column] =
              inside ? channel * 12 + fromRow * 4 + fromColumn + 1 : 0;
        }
      }
    }
    return image;
  }

  @Test
  void everyShiftUpToTheLimitComesAndEachIsMirroredHalfTheTime() {
    Dataset varied = new ImageVariation(images(), new AugmentationConfig(1, true), IMAGE, 5);
    Set<String> seen = new HashSet<>();
    int mirrored = 0;
    for (int i = 0; i < 400; i++) {
      double[] image = read(varied, 1);
      String found = "";
      for (int choice = 0; choice < 18; choice++) {
        int down = choice / 2 / 3 - 1;
        int right = choice / 2 % 3 - 1;
        if (Arrays.equals(image, expected(down, right, choice % 2 == 1))) {
          found = down + " " + right + " " + choice % 2;
          mirrored += choice % 2;
        }
      }
      assertTrue(!found.isEmpty(), "no shift gives " + Arrays.toString(image));
      seen.add(found);
    }
    assertEquals(18, seen.size(), seen.toString());
    assertEquals(200, mirrored, 50);
  }

  @Test
  void withoutFlipNothingIsMirroredAndWithoutCropNothingMoves() {
    Dataset plain = new ImageVariation(images(), new AugmentationConfig(0, false), IMAGE, 5);
    assertArrayEquals(expected(0, 0, false), read(plain, 1));
  }

  @Test
  void theSameSeedGivesTheSameImagesHoweverManyAreReadAtOnce() {
    AugmentationConfig config = new AugmentationConfig(2, true);
    double[] together = read(new ImageVariation(images(), config, IMAGE, 5), 3);
    Dataset again = new ImageVariation(images(), config, IMAGE, 5);
    for (int i = 0; i < 3; i++) {
      double[] one = read(again, 1);
      assertArrayEquals(Arrays.copyOfRange(together, i * WIDTH, (i + 1) * WIDTH), one);
    }
  }

  /** Channels have pixels 1 to 12 and 13 to 24, of samples 0 and 1 that are 100 apart. */
  @Test
  void allPixelsOfAChannelHaveItsMeanAndDeviation() throws Exception {
    FederationConfig federation =
        new JsonMapper()
            .readValue("{\"clients\": 2, \"augmentation\": {\"crop\": 1}}", FederationConfig.class);
    FederationPlan plan =
        new FederationPlan(
            1,
            1,
            new JsonMapper()
                .readValue("{\"type\": \"cnn\", \"image\": [2, 3, 4]}", ModelConfig.class),
            new JsonMapper().readValue("{\"type\": \"sgd\"}", OptimizerConfig.class),
            federation);
    List<Double> means = IntStream.range(0, WIDTH).mapToObj(p -> 50 + p + 1.0).toList();
    List<Double> ones = means.stream().map(mean -> 1.0).toList();
    List<String> names = images().featureNames();
    Normalizer single = new Normalizer(new Normalizer.Statistics(names, means, ones));
    Normalizer.Pair pair =
        ImageVariation.ofChannels(
            plan, images(), new long[] {0, 1}, new Normalizer.Pair(single, single));
    Normalizer.Statistics shared = pair.features().statistics();
    // Of 1 to 12 the mean is 6.5 and the variance 143 / 12; the samples add 50 squared.
    double deviation = Math.sqrt(143 / 12.0 + 2500);
    for (int p = 0; p < WIDTH; p++) {
      assertEquals(p < 12 ? 56.5 : 68.5, shared.mean().get(p), 1e-12);
      assertEquals(deviation, shared.standardDeviation().get(p), 1e-12);
    }
  }
}
