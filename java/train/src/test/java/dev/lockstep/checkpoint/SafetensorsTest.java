package dev.lockstep.checkpoint;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.lockstep.files.DurableFiles;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HexFormat;
import java.util.List;
import java.util.Random;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The two {@code .hex} files were written by the Python package safetensors 0.8.0. */
class SafetensorsTest {
  @TempDir Path folder;

  @Test
  void readsWhatThePythonPackageWrote() throws IOException {
    Path file = Files.write(folder.resolve("python"), resource("reference.safetensors.hex"));

    List<StoredTensor> tensors = SafetensorsReader.read(file);

    assertEquals(15, tensors.size());
    assertEquals(List.of(), named(tensors, "steps").shape());
    assertEquals(7, named(tensors, "steps").data().getLong());
    assertEquals(List.of(2L, 3L), named(tensors, "layers.0.weight").shape());
    float[] weight = new float[6];
    named(tensors, "layers.0.weight").data().asFloatBuffer().get(weight);
    assertArrayEquals(new float[] {-1.5f, -0.5f, 0.5f, 1.5f, 2.5f, 3.5f}, weight);
    assertEquals(1e30, named(tensors, "layers.0.bias").data().getDouble(16));
    assertEquals(TensorType.BF16, named(tensors, "brain").type());
    assertEquals(0x3f80, named(tensors, "brain").data().getShort(0));
    assertEquals(List.of(0L, 4L), named(tensors, "empty").shape());
    assertEquals(2f, named(tensors, "naïve \"é\"").data().getFloat());
  }

  @Test
  void writesTheBytesThatThePythonPackageWrites() throws IOException {
    List<StoredTensor> tensors = new ArrayList<>(referenceTensors());
    long seed = 7;
    Collections.shuffle(tensors, new Random(seed));
    Path file = folder.resolve("ours");

    DurableFiles.write(file, channel -> SafetensorsWriter.write(channel, tensors));

    assertArrayEquals(
        resource("reference.safetensors.hex"), Files.readAllBytes(file), "seed " + seed);
  }

  @Test
  void returnsWhatWasWritten() throws IOException {
    Path file = folder.resolve("ours");
    DurableFiles.write(file, channel -> SafetensorsWriter.write(channel, referenceTensors()));

    List<StoredTensor> read = SafetensorsReader.read(file);

    assertEquals(referenceTensors().size(), read.size());
    assertTrue(read.containsAll(referenceTensors()), read.toString());
  }

  @Test
  void passesOverMetadata() throws IOException {
    Path file = Files.write(folder.resolve("python"), resource("with-metadata.safetensors.hex"));

    List<StoredTensor> tensors = SafetensorsReader.read(file);

    assertEquals(List.of(tensor("a", TensorType.F32, List.of(1L), b -> b.putFloat(1))), tensors);
  }

  @Test
  void storesNoTensorsAtAll() throws IOException {
    Path file = folder.resolve("none");
    DurableFiles.write(file, channel -> SafetensorsWriter.write(channel, List.of()));

    assertEquals(List.of(), SafetensorsReader.read(file));
  }

  static List<StoredTensor> referenceTensors() {
    return List.of(
        tensor(
            "layers.0.weight",
            TensorType.F32,
            List.of(2L, 3L),
            b -> fill(b, -1.5f, -0.5f, 0.5f, 1.5f, 2.5f, 3.5f)),
        tensor(
            "layers.0.bias",
            TensorType.F64,
            List.of(3L),
            b -> b.putDouble(0.5).putDouble(-2).putDouble(1e30)),
        tensor(
            "half",
            TensorType.F16,
            List.of(2L),
            b -> b.putShort((short) 0x3c00).putShort((short) 0xc100)),
        tensor(
            "brain",
            TensorType.BF16,
            List.of(2L),
            b -> b.putShort((short) 0x3f80).putShort((short) 0xc020)),
        tensor("steps", TensorType.I64, List.of(), b -> b.putLong(7)),
        tensor("u64", TensorType.U64, List.of(1L), b -> b.putLong(Long.MIN_VALUE)),
        tensor("flags", TensorType.BOOL, List.of(3L), b -> b.put(new byte[] {1, 0, 1})),
        tensor("bytes", TensorType.U8, List.of(3L), b -> b.put(new byte[] {1, 2, -1})),
        tensor("i8", TensorType.I8, List.of(1L), b -> b.put((byte) -1)),
        tensor("i16", TensorType.I16, List.of(2L), b -> b.putShort((short) -2).putShort((short) 3)),
        tensor("u16", TensorType.U16, List.of(1L), b -> b.putShort((short) -1)),
        tensor("i32", TensorType.I32, List.of(1L), b -> b.putInt(-4)),
        tensor("u32", TensorType.U32, List.of(1L), b -> b.putInt(4)),
        tensor("empty", TensorType.F32, List.of(0L, 4L), b -> {}),
        tensor("naïve \"é\"", TensorType.F32, List.of(1L), b -> b.putFloat(2)));
  }

  @Test
  void aTensorLargerThanABufferIsReadInPieces() throws IOException {
    Path file = folder.resolve("pieces.safetensors");
    StoredTensor whole =
        tensor(
            "w",
            TensorType.F32,
            List.of(5L),
            b -> b.putFloat(1).putFloat(2).putFloat(3).putFloat(4).putFloat(5));
    ByteBuffer first = whole.data().limit(8);
    StoredTensor cut =
        new StoredTensor(
            "w", TensorType.F32, List.of(5L), List.of(first, whole.data().position(8)));
    DurableFiles.write(file, channel -> SafetensorsWriter.write(channel, List.of(cut)));
    StoredTensor read = SafetensorsReader.read(file, 7).get(0);
    assertEquals(3, read.pieces().size());
    assertEquals(20, read.bytes());
    assertEquals(whole, SafetensorsReader.read(file).get(0));
  }

  static StoredTensor tensor(
      String name, TensorType type, List<Long> shape, Consumer<ByteBuffer> fill) {
    int length = (int) StoredTensor.byteLength(name, type, shape);
    ByteBuffer data = ByteBuffer.allocate(length).order(ByteOrder.LITTLE_ENDIAN);
    fill.accept(data);
    return new StoredTensor(name, type, shape, data.flip());
  }

  private static void fill(ByteBuffer data, float... values) {
    data.asFloatBuffer().put(values);
    data.position(data.limit());
  }

  private static StoredTensor named(List<StoredTensor> tensors, String name) {
    return tensors.stream().filter(t -> t.name().equals(name)).findFirst().orElseThrow();
  }

  private static byte[] resource(String name) throws IOException {
    try (var stream = SafetensorsTest.class.getResourceAsStream(name)) {
      return HexFormat.of().parseHex(new String(stream.readAllBytes()).replaceAll("\\s", ""));
    }
  }
}
