package dev.lockstep.checkpoint;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.lockstep.files.DurableFiles;
import dev.lockstep.files.FileSeal;
import dev.lockstep.files.Sha256;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Optional;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Each test damages the newest of two checkpoints; the older one must be used and the reason told.
 */
class DamagedCheckpointTest {
  @TempDir Path folder;
  private CheckpointStore store;
  private Path newest;

  @BeforeEach
  void saveTwo() {
    store = new CheckpointStore(folder, 3);
    store.save(CheckpointStoreTest.checkpoint(1, 1));
    newest = store.save(CheckpointStoreTest.checkpoint(2, 2));
  }

  @Test
  void aTornFile() throws IOException {
    Path tensors = newest.resolve("tensors.safetensors");
    byte[] whole = Files.readAllBytes(tensors);
    Files.write(tensors, java.util.Arrays.copyOf(whole, whole.length - 1));
    refusedBecause("it is torn: tensors.safetensors has " + (whole.length - 1) + " bytes");
  }

  @Test
  void aFlippedBit() throws IOException {
    Path tensors = newest.resolve("tensors.safetensors");
    byte[] whole = Files.readAllBytes(tensors);
    whole[whole.length - 1] ^= 1;
    Files.write(tensors, whole);
    refusedBecause("it is corrupt: tensors.safetensors does not match its SHA-256");
  }

  @Test
  void aChangedState() throws IOException {
    Path state = newest.resolve("state.json");
    Files.writeString(state, Files.readString(state).replace("2.0", "3.0"));
    refusedBecause("it is corrupt: state.json");
  }

  @Test
  void aMissingFile() throws IOException {
    Files.delete(newest.resolve("state.json"));
    refusedBecause("state.json cannot be read: it is missing");
  }

  @Test
  void aMissingManifest() throws IOException {
    Files.delete(newest.resolve("manifest.json"));
    refusedBecause("manifest.json cannot be read: it is missing");
  }

  @Test
  void aManifestThatIsNotJson() throws IOException {
    Files.writeString(newest.resolve("manifest.json"), "{\"format\":");
    refusedBecause("manifest.json is not valid JSON");
  }

  @Test
  void aManifestOfAnotherProgram() throws IOException {
    Files.writeString(newest.resolve("manifest.json"), "{\"format\": \"theirs\", \"version\": 1}");
    refusedBecause("it is foreign");
  }

  @Test
  void aManifestLargerThanOurs() throws IOException {
    Files.writeString(newest.resolve("manifest.json"), "{}" + " ".repeat(17 << 20));
    refusedBecause("it is foreign: its manifest is larger");
  }

  @Test
  void aNewerFormat() throws IOException {
    replaceInManifest("\"version\" : 2", "\"version\" : 3");
    refusedBecause("its format has version 3 and this program reads version 2");
  }

  @Test
  void aManifestWithoutItsFiles() throws IOException {
    replaceInManifest("\"files\"", "\"filed\"");
    refusedBecause("its manifest does not list state.json");
  }

  @Test
  void aStepThatIsNotItsName() throws IOException {
    replaceInManifest("\"step\" : 2", "\"step\" : 9");
    refusedBecause("its manifest says step 9");
  }

  @Test
  void aTensorFileThatIsSealedButHostile() throws IOException {
    Path tensors = newest.resolve("tensors.safetensors");
    FileSeal before = new FileSeal(Files.size(tensors), Sha256.ofFile(tensors));
    Files.write(tensors, new byte[] {-1, -1, -1, -1, -1, -1, -1, 127, '{', '}'});
    replaceInManifest(before.sha256(), Sha256.ofFile(tensors));
    replaceInManifest("\"bytes\" : " + before.bytes(), "\"bytes\" : 10");
    refusedBecause("tensors.safetensors cannot be used: its header claims");
  }

  @Test
  void aFileWhereAFolderShouldBe() throws IOException {
    DurableFiles.deleteTree(newest);
    Files.writeString(newest, "not a folder", StandardOpenOption.CREATE_NEW);
    refusedBecause("manifest.json cannot be read");
  }

  private void replaceInManifest(String old, String replacement) throws IOException {
    Path manifest = newest.resolve("manifest.json");
    String text = Files.readString(manifest);
    assertTrue(text.contains(old), text);
    Files.writeString(manifest, text.replace(old, replacement));
  }

  private void refusedBecause(String reason) {
    CheckpointSearch search = store.latest(checkpoint -> Optional.empty());

    assertEquals(1, search.checkpoint().orElseThrow().step());
    assertEquals(1, search.refused().size());
    assertEquals(newest, search.refused().get(0).folder());
    String told = search.refused().get(0).reason();
    assertTrue(told.contains(reason) && told.contains(newest.toString()), told);
  }
}
