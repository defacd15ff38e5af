package dev.lockstep.federated;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.lockstep.config.ConfigLoader;
import dev.lockstep.config.FederateConfig;
import dev.lockstep.data.DataFiles;
import dev.lockstep.data.Dataset;
import dev.lockstep.testing.RankThreads;
import java.io.DataOutputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * A small form of {@code benchmarks/federated.py accuracy}: four classes of images, bars in four
 * directions with noise, that ten clients learn to tell apart in a few rounds.
 */
@Tag("same-on-every-jdk")
@Timeout(240)
class SmallImagesTest {
  private static final int SIDE = 14;
  private static final int IMAGES = 1200;
  private static final int CLASSES = 4;
  private static final String YAML =
      """
      name: bars
      seed: 3
      data: {path: 'DATA', features: [values], targets: [labels], validation_fraction: 0.25}
      model: {type: cnn, image: [1, 14, 14], channels: [8, 8], kernel: 3, hidden: [32]}
      optimizer: {type: sgd, learning_rate: 0.05, momentum: 0.9}
      federation:
        rounds: 8
        clients: 10
        local_epochs: 2
        batch_size: 16
        loss: cross_entropy
        augmentation: {crop: 1}
        evaluate_every: 8
        checkpoint_every: 0
      """;
  private static final String UNEVEN = "federation.partition={type: dirichlet, alpha: 0.1}";
  private static final String NOISE = "federation.attack={type: noise, clients: 1, scale: 5}";

  @TempDir Path folder;
  private Path yaml;

  @BeforeEach
  void drawImages() throws IOException {
    Path images = folder.resolve("bars-images-idx3-ubyte");
    Path labels = folder.resolve("bars-labels-idx1-ubyte");
    Random random = new Random(9);
    try (DataOutputStream pixels = new DataOutputStream(Files.newOutputStream(images));
        DataOutputStream classes = new DataOutputStream(Files.newOutputStream(labels))) {
      for (int value : new int[] {0x803, IMAGES, SIDE, SIDE}) {
        pixels.writeInt(value);
      }
      classes.writeInt(0x801);
      classes.writeInt(IMAGES);
      for (int i = 0; i < IMAGES; i++) {
        int label = i % CLASSES;
        classes.writeByte(label);
        pixels.write(bar(label, random));
      }
    }
    yaml = Files.writeString(folder.resolve("bars.yaml"), YAML.replace("DATA", images.toString()));
  }

  /** A bar through a place near the middle, with noise. */
  private static byte[] bar(int direction, Random random) {
    double angle = Math.PI * (direction + 0.2 * random.nextGaussian()) / CLASSES;
    double x0 = SIDE / 2.0 + random.nextGaussian();
    double y0 = SIDE / 2.0 + random.nextGaussian();
    byte[] pixels = new byte[SIDE * SIDE];
    for (int i = 0; i < pixels.length; i++) {
      double across = (i % SIDE - x0) * Math.sin(angle) - (i / SIDE - y0) * Math.cos(angle);
      double value = 180 * Math.exp(-across * across) + 30 * random.nextGaussian() + 40;
      pixels[i] = (byte) Math.max(0, Math.min(255, value));
    }
    return pixels;
  }

  private double accuracy(String... settings) throws Exception {
    return accuracy(1, settings);
  }

  private double accuracy(int ranks, String... settings) throws Exception {
    return run(ranks, settings)
        .last()
        .orElseThrow()
        .scores()
        .orElseThrow()
        .accuracy()
        .orElseThrow();
  }

  private FederationResult run(int ranks, String... settings) throws Exception {
    FederateConfig config =
        ConfigLoader.load(FederateConfig.class, yaml, new ArrayList<>(Arrays.asList(settings)));
    return RankThreads.run(
            ranks,
            group -> {
              try (Dataset dataset = DataFiles.open(config.data())) {
                return new Federation(
                        config.plan(),
                        dataset,
                        dataset.split(config.data()),
                        group,
                        FederationListener.none(),
                        Optional.empty())
                    .run(false, Optional.empty());
              }
            })
        .get(0);
  }

  @Test
  void evenSharesAreLearntAndUnevenOnesLessAndMomentumHelps() throws Exception {
    double even = accuracy();
    double uneven = accuracy(UNEVEN);
    double helped = accuracy(UNEVEN, "federation.server_optimizer={type: momentum, beta1: 0.7}");
    String all = "even " + even + ", uneven " + uneven + ", with momentum " + helped;
    System.out.println(all);
    assertTrue(even > 0.85, all);
    assertTrue(uneven < even - 0.05, all);
    assertTrue(helped > uneven, all);
  }

  @Test
  void oneNoisyClientSpoilsTheMeanAndNoRobustRule() throws Exception {
    double clean = accuracy();
    double mean = accuracy(NOISE);
    assertTrue(mean < clean - 0.1, "mean " + mean + ", clean " + clean);
    for (String rule : List.of("median", "trimmed_mean", "multi_krum")) {
      double robust = accuracy(NOISE, "federation.aggregation={rule: " + rule + ", faulty: 1}");
      assertTrue(robust > clean - 0.05, rule + " " + robust + ", clean " + clean);
    }
  }

  @Test
  void imagesVaryAlikeOnAnyNumberOfRanks() throws Exception {
    String varied = "federation.augmentation={crop: 2, flip: true}";
    String once = "federation.rounds=2";
    String hash = run(1, varied, once).modelSha256();
    assertEquals(hash, run(2, varied, once).modelSha256());
    assertEquals(hash, run(3, varied, once).modelSha256());
  }
}
