package dev.lockstep.data;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Y. LeCun's format of the MNIST files. */
class IdxFileTest {
  @TempDir Path folder;

  private static byte[] bytes(int[] lengths, int... values) throws IOException {
    ByteArrayOutputStream content = new ByteArrayOutputStream();
    DataOutputStream out = new DataOutputStream(content);
    out.writeInt(0x0800 | lengths.length);
    for (int length : lengths) {
      out.writeInt(length);
    }
    for (int value : values) {
      out.writeByte(value);
    }
    return content.toByteArray();
  }

  private Path images() throws IOException {
    Path path = folder.resolve("train-images-idx3-ubyte.gz");
    try (OutputStream out = new GZIPOutputStream(Files.newOutputStream(path))) {
      out.write(bytes(new int[] {3, 1, 2}, 0, 10, 20, 30, 40, 255));
    }
    return path;
  }

  private static DataConfig config(Path path) {
    return new DataConfig(
        path.toString(),
        DataConfig.Format.AUTO,
        null,
        FeatureConfig.ofVariables(List.of("values")),
        List.of("labels"),
        true,
        0,
        0);
  }

  @Test
  void labelsBesideTheImagesAreTheirTargets() throws IOException {
    Path path = images();
    Files.write(folder.resolve("train-labels-idx1-ubyte"), bytes(new int[] {3}, 7, 0, 9));
    try (Dataset dataset = DataFiles.open(config(path))) {
      double[] features = new double[4];
      double[] targets = new double[2];
      dataset.read(new long[] {2, 0}, 0, 2, features, targets);
      assertArrayEquals(new double[] {40, 255, 0, 10}, features);
      assertArrayEquals(new double[] {9, 7}, targets);
    }
  }

  @Test
  void labelsOfAnotherNumberAreRefused() throws IOException {
    Path path = images();
    Files.write(folder.resolve("train-labels-idx1-ubyte"), bytes(new int[] {2}, 7, 0));
    DataException e = assertThrows(DataException.class, () -> DataFiles.open(config(path)).close());
    assertTrue(e.getMessage().contains("has 3 samples, but"), e.getMessage());
  }

  @Test
  void withoutLabelsThereAreTheValuesAlone() throws IOException {
    FileDescription description = DataFiles.describe(images());
    assertEquals(1, description.variables().size());
  }
}
