package dev.lockstep.checkpoint;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.SerializationFeature;
import com.fasterxml.jackson.databind.cfg.JsonNodeFeature;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.lockstep.files.DurableFiles;
import dev.lockstep.files.FileSeal;
import dev.lockstep.files.Sha256;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.WritableByteChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.function.UnaryOperator;

/**
 * One checkpoint as files: one of tensors for each rank ({@code tensors.safetensors} of rank 0,
 * {@code tensors-1.safetensors} of rank 1 …), {@code state.json}, and {@code manifest.json}, which
 * is written last and seals the others with their lengths and hashes. Keys are sorted and nothing
 * depends on the time or the place, so that equal states are equal bytes.
 *
 * <p>While ranks write, each leaves a note beside its file when that is whole ({@code
 * rank-1.json}); the notes go into the manifest.
 */
final class CheckpointFolder {
  static final String TENSORS = "tensors.safetensors";
  static final String STATE = "state.json";
  static final String MANIFEST = "manifest.json";

  private static final String FORMAT = "lockstep-checkpoint";
  private static final int VERSION = 2;

  /** Room for some 1,000 ranks with 100 tensors of their own each. */
  private static final long MAXIMUM_MANIFEST = 16 << 20;

  private static final JsonMapper MAPPER =
      JsonMapper.builder()
          .enable(SerializationFeature.INDENT_OUTPUT)
          .enable(JsonNodeFeature.WRITE_PROPERTIES_SORTED)
          .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
          .build();

  private CheckpointFolder() {}

  /** Fills a new folder with the state of one rank and syncs everything in it. */
  static void write(Path folder, Checkpoint checkpoint) throws IOException {
    Files.createDirectory(folder);
    List<TensorShare> shares =
        checkpoint.tensors().stream()
            .map(tensor -> new TensorShare(tensor, Placement.REPLICATED))
            .toList();
    writeShare(folder, 0, shares, UnaryOperator.identity());
    seal(folder, checkpoint.step(), 1, checkpoint.state());
  }

  /** Writes one rank's file and then its note; the folder is made if it is not there. */
  static void writeShare(
      Path folder, int rank, List<TensorShare> shares, UnaryOperator<WritableByteChannel> around)
      throws IOException {
    Files.createDirectories(folder);
    List<StoredTensor> tensors = shares.stream().map(TensorShare::tensor).toList();
    FileSeal written =
        DurableFiles.write(
            folder.resolve(tensorFile(rank)),
            file -> SafetensorsWriter.write(file, tensors),
            around);
    ObjectNode note = json(written);
    for (TensorShare share : shares) {
      if (share.placement() instanceof Placement.Sharded sharded) {
        ObjectNode where = note.withObject("/sharded").putObject(share.tensor().name());
        where.put("from", sharded.from()).put("total", sharded.total());
      } else if (share.placement() instanceof Placement.Sliced sliced) {
        JoinedShares.describe(sliced, note.withObject("/sliced").putObject(share.tensor().name()));
      } else if (share.placement() instanceof Placement.PerRank) {
        note.withArray("/per_rank").add(share.tensor().name());
      }
    }
    // As soon as the note has its name, rank 0 may give the folder its own: nothing may be done in
    // it after that. Rank 0 syncs the folder's list of names.
    Path temporary = folder.resolve(".tmp-" + note(rank));
    writeBytes(temporary, text(note));
    Files.move(temporary, folder.resolve(note(rank)), StandardCopyOption.ATOMIC_MOVE);
  }

  /** Whether a rank's file is whole. */
  static boolean hasShare(Path folder, int rank) {
    return Files.exists(folder.resolve(note(rank)));
  }

  /** Writes what is left when all ranks' files are whole: the state, and last the manifest. */
  static void seal(Path folder, long step, int ranks, ObjectNode state) throws IOException {
    ObjectNode manifest = MAPPER.createObjectNode();
    manifest.put("format", FORMAT).put("version", VERSION).put("written_by", writer());
    manifest.put("step", step).put("ranks", ranks);
    ObjectNode files = manifest.putObject("files");
    byte[] stateText = text(state);
    files.set(STATE, json(writeBytes(folder.resolve(STATE), stateText)));
    for (int rank = 0; rank < ranks; rank++) {
      Path note = folder.resolve(note(rank));
      files.set(tensorFile(rank), MAPPER.readTree(Files.readAllBytes(note)));
      Files.delete(note);
    }
    writeBytes(folder.resolve(MANIFEST), text(manifest));
    DurableFiles.syncFolder(folder);
  }

  private static FileSeal writeBytes(Path file, byte[] bytes) throws IOException {
    return DurableFiles.write(file, channel -> channel.write(ByteBuffer.wrap(bytes)));
  }

  private static String tensorFile(int rank) {
    return rank == 0 ? TENSORS : "tensors-" + rank + ".safetensors";
  }

  private static String note(int rank) {
    return "rank-" + rank + ".json";
  }

  /**
   * Reads a folder back, after checking every byte of it against its manifest.
   *
   * @throws CheckpointException with the reason, if it is torn, corrupt or foreign
   */
  static Checkpoint read(Path folder) {
    JsonNode manifest = parse(folder, MANIFEST);
    checkOrigin(folder, manifest);
    JsonNode files = manifest.path("files");
    int ranks = manifest.path("ranks").asInt();
    checkSeal(folder, STATE, files.path(STATE));
    for (int rank = 0; rank < ranks; rank++) {
      checkSeal(folder, tensorFile(rank), files.path(tensorFile(rank)));
    }
    if (!(parse(folder, STATE) instanceof ObjectNode state)) {
      throw refusal(folder, STATE + " is not a JSON object");
    }
    JoinedShares joined = new JoinedShares();
    for (int rank = 0; rank < ranks; rank++) {
      String name = tensorFile(rank);
      try {
        joined.add(SafetensorsReader.read(folder.resolve(name)), files.path(name));
      } catch (IOException | IllegalArgumentException e) {
        throw refusal(folder, name + " cannot be used: " + reason(e), e);
      }
    }
    try {
      long step = manifest.path("step").longValue();
      return new Checkpoint(step, joined.tensors(), joined.perRank(), state);
    } catch (IllegalArgumentException e) {
      throw refusal(folder, "its files do not fit together: " + reason(e), e);
    }
  }

  private static void checkOrigin(Path folder, JsonNode manifest) {
    if (!manifest.path("format").asText().equals(FORMAT)) {
      throw refusal(folder, "it is foreign: its manifest does not say format '" + FORMAT + "'");
    }
    JsonNode version = manifest.path("version");
    if (!version.isInt() || version.intValue() != VERSION) {
      throw refusal(
          folder,
          String.format(
              Locale.ROOT,
              "its format has version %s and this program reads version %d; it was written by %s",
              version,
              VERSION,
              manifest.path("written_by")));
    }
    JsonNode step = manifest.path("step");
    if (!step.isIntegralNumber() || !step.canConvertToLong() || step.longValue() < 0) {
      throw refusal(folder, "its manifest has no step");
    }
    if (manifest.path("ranks").asInt() < 1) {
      throw refusal(folder, "its manifest does not say how many ranks wrote it");
    }
  }

  private static void checkSeal(Path folder, String name, JsonNode json) {
    if (!json.isObject()) {
      throw refusal(folder, "its manifest does not list " + name);
    }
    FileSeal seal = new FileSeal(json.path("bytes").asLong(-1), json.path("sha256").asText());
    Path file = folder.resolve(name);
    try {
      long size = Files.size(file);
      if (size != seal.bytes()) {
        throw refusal(
            folder,
            String.format(
                Locale.ROOT,
                "it is torn: %s has %d bytes and should have %d",
                name,
                size,
                seal.bytes()));
      }
      if (!Sha256.ofFile(file).equals(seal.sha256())) {
        throw refusal(
            folder,
            String.format(Locale.ROOT, "it is corrupt: %s does not match its SHA-256", name));
      }
    } catch (IOException e) {
      throw refusal(
          folder, String.format(Locale.ROOT, "%s cannot be read: %s", name, reason(e)), e);
    }
  }

  private static JsonNode parse(Path folder, String name) {
    Path file = folder.resolve(name);
    try {
      if (name.equals(MANIFEST) && Files.size(file) > MAXIMUM_MANIFEST) {
        throw refusal(
            folder, "it is foreign: its manifest is larger than any that Lockstep writes");
      }
      return MAPPER.readTree(Files.readAllBytes(file));
    } catch (JsonProcessingException e) {
      throw refusal(
          folder,
          String.format(Locale.ROOT, "%s is not valid JSON: %s", name, e.getOriginalMessage()),
          e);
    } catch (IOException e) {
      throw refusal(
          folder, String.format(Locale.ROOT, "%s cannot be read: %s", name, reason(e)), e);
    }
  }

  private static byte[] text(ObjectNode content) throws IOException {
    return (MAPPER.writeValueAsString(content) + "\n").getBytes(StandardCharsets.UTF_8);
  }

  private static ObjectNode json(FileSeal seal) {
    ObjectNode json = MAPPER.createObjectNode();
    return json.put("bytes", seal.bytes()).put("sha256", seal.sha256());
  }

  private static String writer() {
    String version = CheckpointFolder.class.getPackage().getImplementationVersion();
    return "lockstep " + Optional.ofNullable(version).orElse("(development build)");
  }

  private static CheckpointException refusal(Path folder, String reason) {
    return new CheckpointException(message(folder, reason));
  }

  private static CheckpointException refusal(Path folder, String reason, Throwable cause) {
    return new CheckpointException(message(folder, reason), cause);
  }

  private static String message(Path folder, String reason) {
    return String.format(
        Locale.ROOT, "The checkpoint %s cannot be loaded: %s. Use an older one.", folder, reason);
  }

  private static String reason(Throwable e) {
    return DurableFiles.reason(e);
  }
}
