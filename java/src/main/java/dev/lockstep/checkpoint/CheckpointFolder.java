package dev.lockstep.checkpoint;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.SerializationFeature;
import com.fasterxml.jackson.databind.cfg.JsonNodeFeature;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/**
 * One checkpoint as files: {@code tensors.safetensors}, {@code state.json}, and {@code
 * manifest.json}, which seals the other two with their lengths and hashes. Keys are sorted and
 * nothing depends on the time or the place, so that equal states are equal bytes.
 */
final class CheckpointFolder {
  static final String TENSORS = "tensors.safetensors";
  static final String STATE = "state.json";
  static final String MANIFEST = "manifest.json";

  private static final String FORMAT = "lockstep-checkpoint";
  private static final int VERSION = 1;
  private static final List<String> SEALED = List.of(STATE, TENSORS);

  /** Ours has under 1 KiB; whatever is larger was written by something else. */
  private static final long MAXIMUM_MANIFEST = 1 << 16;

  private static final JsonMapper MAPPER =
      JsonMapper.builder()
          .enable(SerializationFeature.INDENT_OUTPUT)
          .enable(JsonNodeFeature.WRITE_PROPERTIES_SORTED)
          .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
          .build();

  private CheckpointFolder() {}

  /** Fills a new folder and syncs everything in it. */
  static void write(Path folder, Checkpoint checkpoint) throws IOException {
    Files.createDirectory(folder);
    ObjectNode manifest = MAPPER.createObjectNode();
    manifest.put("format", FORMAT).put("version", VERSION).put("written_by", writer());
    manifest.put("step", checkpoint.step());
    ObjectNode files = manifest.putObject("files");
    put(
        files,
        STATE,
        DurableFiles.write(folder.resolve(STATE), file -> json(file, checkpoint.state())));
    put(
        files,
        TENSORS,
        DurableFiles.write(
            folder.resolve(TENSORS), file -> SafetensorsWriter.write(file, checkpoint.tensors())));
    DurableFiles.write(folder.resolve(MANIFEST), file -> json(file, manifest));
    DurableFiles.syncFolder(folder);
  }

  /**
   * Reads a folder back, after checking every byte of it against its manifest.
   *
   * @throws CheckpointException with the reason, if it is torn, corrupt or foreign
   */
  static Checkpoint read(Path folder) {
    JsonNode manifest = parse(folder, MANIFEST);
    checkOrigin(folder, manifest);
    for (String name : SEALED) {
      checkSeal(folder, name, manifest.path("files").path(name));
    }
    if (!(parse(folder, STATE) instanceof ObjectNode state)) {
      throw refusal(folder, STATE + " is not a JSON object");
    }
    try {
      List<StoredTensor> tensors = SafetensorsReader.read(folder.resolve(TENSORS));
      return new Checkpoint(manifest.path("step").longValue(), tensors, state);
    } catch (IOException | IllegalArgumentException e) {
      throw refusal(folder, TENSORS + " cannot be used: " + reason(e), e);
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

  private static void json(HashingChannel file, ObjectNode content) throws IOException {
    String text = MAPPER.writeValueAsString(content) + "\n";
    file.write(ByteBuffer.wrap(text.getBytes(StandardCharsets.UTF_8)));
  }

  private static void put(ObjectNode files, String name, FileSeal seal) {
    files.putObject(name).put("bytes", seal.bytes()).put("sha256", seal.sha256());
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

  /** What went wrong, without the path that Java's messages consist of or begin with. */
  static String reason(Throwable e) {
    if (e instanceof NoSuchFileException) {
      return "it is missing";
    }
    if (e instanceof AccessDeniedException) {
      return "access is denied";
    }
    if (e instanceof FileSystemException file && file.getReason() != null) {
      return file.getReason();
    }
    return String.valueOf(e.getMessage());
  }
}
