package dev.lockstep.data.zarr;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.json.JsonReadFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.MissingNode;
import dev.lockstep.data.ArrayFile;
import dev.lockstep.data.ChunkCache;
import dev.lockstep.data.DataException;
import dev.lockstep.data.UnreadableException;
import dev.lockstep.data.Variable;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.zip.ZipFile;

/**
 * A Zarr store of version 2 or 3, a folder or a zip archive, as xarray reads it: consolidated
 * metadata where there are any, dimension names, scale and offset, fill values. A chunk that is not
 * there holds the fill value. Not thread-safe.
 */
public final class ZarrFile implements ArrayFile {
  /** Python's writers print NaN and Infinity as they are. */
  private static final ObjectMapper JSON =
      JsonMapper.builder().enable(JsonReadFeature.ALLOW_NON_NUMERIC_NUMBERS).build();

  private static final List<String> ROOTS =
      List.of("zarr.json", ".zmetadata", ".zgroup", ".zarray");
  private static final int MIN_BLOCK_VALUES = 1024;
  private static final int MAX_BLOCK_VALUES = 1 << 20;

  private final String location;
  private final ZarrStore store;
  private final ChunkCache cache;
  private final Map<String, ZarrArray> arrays = new LinkedHashMap<>();
  private final List<Unreadable> unreadable = new ArrayList<>();
  private int version;

  private ZarrFile(String location, ZarrStore store) {
    this.location = location;
    this.store = store;
    cache = new ChunkCache(Runtime.getRuntime().maxMemory() / 8);
  }

  /** Whether a folder, or a zip archive, holds a store. */
  public static boolean recognises(Path path) {
    if (Files.isDirectory(path)) {
      return ROOTS.stream().anyMatch(name -> Files.exists(path.resolve(name)));
    }
    try (ZipFile zip = new ZipFile(path.toFile())) {
      return ROOTS.stream().anyMatch(name -> zip.getEntry(name) != null);
    } catch (IOException e) {
      return false;
    }
  }

  /** What opens a store. */
  private interface Opener {
    ZarrStore open() throws IOException;
  }

  /**
   * Opens a store and reads its metadata.
   *
   * @throws DataException if there is none, or it is damaged
   */
  public static ZarrFile open(Path path) {
    try {
      return open(path.toString(), () -> ZarrStore.open(path));
    } catch (IOException e) {
      throw DataException.cannotOpen(path, e);
    }
  }

  /**
   * Opens a store on a web server, which has consolidated metadata.
   *
   * @param address begins with http:// or https://
   * @param header what every request carries, as in "Authorization: Bearer …"; may be empty
   * @throws DataException if there is none, or it cannot be reached
   */
  public static ZarrFile open(String address, String header) {
    try {
      return open(address, () -> RemoteStore.of(address, header));
    } catch (IOException | IllegalArgumentException e) {
      throw new DataException(address, "cannot be opened: " + e.getMessage(), e);
    }
  }

  private static ZarrFile open(String location, Opener opener) throws IOException {
    try {
      ZarrFile file = new ZarrFile(location, opener.open());
      try {
        file.findArrays();
        return file;
      } catch (RuntimeException | IOException e) {
        file.close();
        throw e;
      }
    } catch (JsonProcessingException e) {
      throw new DataException(
          location, "has metadata that are no JSON: " + e.getOriginalMessage(), e);
    }
  }

  private void findArrays() throws IOException {
    JsonNode root = json("zarr.json");
    if (!root.isMissingNode()) {
      version = 3;
      JsonNode inline = root.path("consolidated_metadata").path("metadata");
      if (root.path("node_type").asText().equals("array")) {
        add("data", root, root.path("attributes"), MissingNode.getInstance(), "");
      } else if (inline.isObject()) {
        inline.fields().forEachRemaining(e -> addVersion3(e.getKey(), e.getValue()));
      } else {
        for (String key : store.keys(List.of("zarr.json"))) {
          addVersion3(parent(key), json(key));
        }
      }
    } else {
      version = 2;
      JsonNode all = json(".zmetadata").path("metadata");
      Map<String, JsonNode> entries = new LinkedHashMap<>();
      if (all.isObject()) {
        all.fields().forEachRemaining(e -> entries.put(e.getKey(), e.getValue()));
      } else {
        for (String key : store.keys(List.of(".zarray", ".zattrs"))) {
          entries.put(key, json(key));
        }
      }
      entries.forEach((key, json) -> addVersion2(key, json, entries));
    }
    if (arrays.isEmpty() && unreadable.isEmpty()) {
      throw new DataException(location, "holds no Zarr array; name the store's root");
    }
  }

  private static String parent(String key) {
    return key.contains("/") ? key.substring(0, key.lastIndexOf('/')) : "";
  }

  private void addVersion3(String name, JsonNode json) {
    if (json.path("node_type").asText().equals("array")) {
      add(name, json, json.path("attributes"), MissingNode.getInstance(), name + "/");
    }
  }

  private void addVersion2(String key, JsonNode json, Map<String, JsonNode> all) {
    if (!key.endsWith(".zarray")) {
      return;
    }
    String folder = key.substring(0, key.length() - ".zarray".length());
    JsonNode attributes = all.getOrDefault(folder + ".zattrs", MissingNode.getInstance());
    String name = folder.isEmpty() ? "data" : folder.substring(0, folder.length() - 1);
    add(name, json, attributes, attributes.path("_ARRAY_DIMENSIONS"), folder);
  }

  private void add(
      String name, JsonNode json, JsonNode attributes, JsonNode dimensions, String folder) {
    try {
      ZarrMetadata metadata = new ZarrMetadata(arrays.size(), name, json, attributes);
      ZarrArray array =
          version == 3 ? metadata.version3(folder) : metadata.version2(folder, dimensions);
      array.chunkSize();
      arrays.put(name, array);
    } catch (RuntimeException e) {
      unreadable.add(
          new Unreadable(
              name,
              json.path(version == 3 ? "data_type" : "dtype").asText("records"),
              List.of(),
              UnreadableException.reason(e)));
    }
  }

  private JsonNode json(String key) throws IOException {
    byte[] bytes = store.get(key);
    return bytes == null ? MissingNode.getInstance() : JSON.readTree(bytes);
  }

  @Override
  public String location() {
    return location;
  }

  @Override
  public String format() {
    return "Zarr " + version;
  }

  @Override
  public List<Variable> variables() {
    return arrays.values().stream().map(ZarrArray::variable).toList();
  }

  @Override
  public List<Unreadable> unreadable() {
    return List.copyOf(unreadable);
  }

  @Override
  public void read(Variable variable, long from, int count, double[] values) {
    ZarrArray array = find(variable);
    try {
      array.read(store, cache, from, count, values);
    } catch (RuntimeException e) {
      throw new DataException(
          location(), "variable " + variable.name() + " " + UnreadableException.reason(e), e);
    }
  }

  @Override
  public int blockLength(Variable variable) {
    ZarrArray array = find(variable);
    long slab = 1;
    for (int d = 1; d < array.shape().length && slab < MAX_BLOCK_VALUES; d++) {
      slab *= Math.max(1, array.shape()[d]);
    }
    if (array.chunk().length > 0) {
      // A chunk is decoded as a whole: take all of it at once.
      slab = Math.min(slab, MAX_BLOCK_VALUES) * Math.min(array.chunk()[0], MAX_BLOCK_VALUES);
    }
    return (int) Math.max(MIN_BLOCK_VALUES, Math.min(MAX_BLOCK_VALUES, slab));
  }

  private ZarrArray find(Variable variable) {
    ZarrArray array = arrays.get(variable.name());
    if (array == null) {
      throw new DataException(location(), "has no variable " + variable.name());
    }
    return array;
  }

  @Override
  public void close() {
    try {
      store.close();
    } catch (IOException e) {
      throw new DataException(location(), "cannot be closed", e);
    }
  }
}
