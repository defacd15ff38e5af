package dev.lockstep.checkpoint;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonMappingException;
import com.fasterxml.jackson.databind.PropertyNamingStrategies;
import com.fasterxml.jackson.dataformat.yaml.YAMLMapper;
import org.junit.jupiter.api.Test;

class CheckpointConfigTest {
  private final YAMLMapper mapper =
      YAMLMapper.builder().propertyNamingStrategy(PropertyNamingStrategies.SNAKE_CASE).build();

  @Test
  void takesDefaultsForWhatAFileLeavesOut() throws JsonProcessingException {
    assertEquals(new CheckpointConfig(1, 3), CheckpointConfig.defaults());
    assertEquals(new CheckpointConfig(1, 5), mapper.readValue("keep: 5", CheckpointConfig.class));
    assertEquals(
        new CheckpointConfig(2, 3), mapper.readValue("every_epochs: 2", CheckpointConfig.class));
  }

  @Test
  void survivesWritingAndReading() throws JsonProcessingException {
    CheckpointConfig config = new CheckpointConfig(4, 7);
    assertEquals(
        config, mapper.readValue(mapper.writeValueAsString(config), CheckpointConfig.class));
  }

  @Test
  void refusesValuesOutOfRangeAndUnknownKeys() {
    JsonMappingException keep =
        assertThrows(
            JsonMappingException.class, () -> mapper.readValue("keep: 0", CheckpointConfig.class));
    assertTrue(keep.getMessage().contains("keep: must be at least 1"), keep.getMessage());
    assertThrows(
        JsonMappingException.class,
        () -> mapper.readValue("every_epochs: 0", CheckpointConfig.class));
    assertThrows(
        JsonMappingException.class, () -> mapper.readValue("kep: 1", CheckpointConfig.class));
  }
}
