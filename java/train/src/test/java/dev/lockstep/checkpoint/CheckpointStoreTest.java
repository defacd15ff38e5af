package dev.lockstep.checkpoint;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.lockstep.files.DurableFiles;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class CheckpointStoreTest {
  @TempDir Path temporary;

  @Test
  void loadsWhatItSaved() {
    Path saved = store(3).save(checkpoint(120, 0.1));

    Checkpoint loaded = CheckpointStore.load(saved);

    assertEquals("step-000000000120", saved.getFileName().toString());
    assertEquals(120, loaded.step());
    assertEquals(0.1, loaded.state().get("loss").doubleValue());
    assertEquals("NaN", loaded.state().get("best").asText());
    assertEquals(checkpoint(120, 0.1).tensor("weight"), loaded.tensor("weight"));
    assertTrue(loaded.tensor("weight").data().isDirect());
  }

  @Test
  void writesEqualStatesAsEqualBytes() throws IOException {
    Path first = new CheckpointStore(temporary.resolve("a"), 1).save(checkpoint(5, 0.25));
    ObjectNode reordered = JsonNodeFactory.instance.objectNode();
    ObjectNode state = checkpoint(5, 0.25).state();
    List.of("best", "nested", "loss").forEach(name -> reordered.set(name, state.get(name)));
    Checkpoint loaded = CheckpointStore.load(first);
    List<StoredTensor> reversed = new ArrayList<>(loaded.tensors());
    Collections.reverse(reversed);
    Path second =
        new CheckpointStore(temporary.resolve("b"), 1).save(new Checkpoint(5, reversed, reordered));

    assertEquals(contents(first).keySet(), contents(second).keySet());
    contents(first)
        .forEach((name, bytes) -> assertArrayEquals(bytes, contents(second).get(name), name));
  }

  @Test
  void keepsTheNewest() throws IOException {
    CheckpointStore store = store(2);
    for (int step = 1; step <= 4; step++) {
      store.save(checkpoint(step, step));
    }

    assertEquals(List.of("step-000000000003", "step-000000000004"), names());
    assertEquals(4, newest(store).step());
  }

  @Test
  void findsNothingWhereNothingWasSaved() {
    CheckpointSearch search = store(1).latest(c -> Optional.empty());

    assertTrue(search.checkpoint().isEmpty());
    assertTrue(search.refused().isEmpty());
  }

  @Test
  void replacesACheckpointOfTheSameStep() throws IOException {
    CheckpointStore store = store(1);
    store.save(checkpoint(7, 1));
    store.save(checkpoint(7, 2));

    assertEquals(List.of("step-000000000007"), names());
    assertEquals(2, newest(store).state().get("loss").asDouble());
  }

  @Test
  void forgetsTheFutureOfARunThatWentBack() throws IOException {
    CheckpointStore store = store(3);
    store.save(checkpoint(10, 1));
    store.save(checkpoint(20, 1));
    store.save(checkpoint(15, 1));

    assertEquals(List.of("step-000000000010", "step-000000000015"), names());
  }

  @Test
  void usesTheReplacedOneWhenItsReplacementNeverCame() throws IOException {
    CheckpointStore store = store(1);
    Path saved = store.save(checkpoint(7, 1));
    Files.move(saved, saved.resolveSibling(".replaced-step-000000000007"));
    Files.createDirectory(saved.resolveSibling(".tmp-step-000000000007"));

    assertEquals(7, newest(store).step());
    store.save(checkpoint(6, 1));
    assertEquals(List.of("step-000000000006"), names());
  }

  @Test
  void clearsWhatAKilledProcessLeft() throws IOException {
    CheckpointStore store = store(3);
    Path left = Files.createDirectories(folder().resolve(".tmp-step-000000000001"));
    Files.writeString(left.resolve("tensors.safetensors"), "half");
    Files.createDirectories(folder().resolve(".deleted-step-000000000000/deeper"));

    assertTrue(store.latest(c -> Optional.empty()).checkpoint().isEmpty());
    store.save(checkpoint(2, 1));

    assertEquals(List.of("step-000000000002"), names());
  }

  @Test
  void passesOverWhatTheCallerRefuses() {
    CheckpointStore store = store(3);
    store.save(checkpoint(1, 1));
    store.save(checkpoint(2, 1));

    CheckpointSearch search =
        store.latest(c -> c.step() == 2 ? Optional.of("it is of another model") : Optional.empty());

    assertEquals(1, search.checkpoint().orElseThrow().step());
    assertEquals(
        "The checkpoint "
            + folder().resolve("step-000000000002")
            + " was refused: it is of another model.",
        search.refused().get(0).reason());
  }

  @Test
  void saysWhyItCannotWrite() throws IOException {
    Path file = Files.writeString(temporary.resolve("file"), "not a folder");
    CheckpointStore store = new CheckpointStore(file.resolve("checkpoints"), 1);

    CheckpointException e =
        assertThrows(CheckpointException.class, () -> store.save(checkpoint(1, 1)));

    assertTrue(e.getMessage().contains(file.toString()), e.getMessage());
    assertTrue(e.getMessage().contains("permissions"), e.getMessage());
  }

  @Test
  void refusesSettingsThatCannotWork() {
    assertThrows(IllegalArgumentException.class, () -> store(0));
    assertThrows(IllegalArgumentException.class, () -> checkpoint(-1, 0));
    StoredTensor twice = checkpoint(1, 1).tensor("weight");
    assertThrows(
        IllegalArgumentException.class,
        () -> new Checkpoint(1, List.of(twice, twice), JsonNodeFactory.instance.objectNode()));
    assertThrows(
        IllegalArgumentException.class,
        () -> new StoredTensor("short", TensorType.F32, List.of(4L), twice.data()));
    assertFalse(Files.exists(folder()));
  }

  private Path folder() {
    return temporary.resolve("checkpoints");
  }

  private CheckpointStore store(int keep) {
    return new CheckpointStore(folder(), keep);
  }

  private List<String> names() throws IOException {
    return DurableFiles.children(folder()).stream().map(p -> p.getFileName().toString()).toList();
  }

  private static Checkpoint newest(CheckpointStore store) {
    return store.latest(c -> Optional.empty()).checkpoint().orElseThrow();
  }

  private static TreeMap<String, byte[]> contents(Path folder) {
    TreeMap<String, byte[]> contents = new TreeMap<>();
    try {
      for (Path file : DurableFiles.children(folder)) {
        contents.put(file.getFileName().toString(), Files.readAllBytes(file));
      }
    } catch (IOException e) {
      throw new AssertionError(e);
    }
    return contents;
  }

  static Checkpoint checkpoint(long step, double loss) {
    ObjectNode state = JsonNodeFactory.instance.objectNode();
    state.put("loss", loss).put("best", Double.NaN);
    state.putObject("nested").put("z", 1).put("a", Long.MAX_VALUE);
    return new Checkpoint(
        step,
        List.of(
            SafetensorsTest.tensor("weight", TensorType.F64, List.of(1L), b -> b.putDouble(loss)),
            SafetensorsTest.tensor(
                "bias", TensorType.F32, List.of(2L), b -> b.putFloat(step).putFloat(1))),
        state);
  }
}
