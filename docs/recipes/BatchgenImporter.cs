// Imports what `batchgen export` put below Assets as sprites, and labels each with the tags of its job.
// Copy it into Assets/Editor. It looks for the mapping, batchgen.json, in the folder of a picture and those above.
using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using UnityEditor;
using UnityEngine;

public class BatchgenImporter : AssetPostprocessor
{
    const string MappingName = "batchgen.json";
    const string Format = "batchgen/mapping@1";

    // The names are those of the mapping; keys that are not named here are passed over.
    [Serializable]
    class Row
    {
        public string path;
        public string job;
        public string tags;
        public string mark;
        public int width;
        public int height;
    }

    [Serializable]
    class Table
    {
        public string format;
        public List<Row> files;
    }

    void OnPreprocessTexture()
    {
        if (!assetImporter.importSettingsMissing) return; // it has a .meta file: what a person chose stays
        Row row = RowOf(assetPath);
        if (row == null) return;
        var importer = (TextureImporter)assetImporter;
        importer.textureType = TextureImporterType.Sprite;
        importer.spriteImportMode = SpriteImportMode.Single;
        importer.mipmapEnabled = false;
        importer.alphaIsTransparency = true;
        importer.maxTextureSize = Mathf.Clamp(Mathf.NextPowerOfTwo(Mathf.Max(row.width, row.height)), 32, 8192);
    }

    static void OnPostprocessAllAssets(string[] imported, string[] deleted, string[] moved, string[] movedFrom)
    {
        foreach (string mapping in imported.Where(path => Path.GetFileName(path) == MappingName))
        {
            string folder = Path.GetDirectoryName(mapping).Replace('\\', '/');
            foreach (Row row in Read(mapping))
            {
                UnityEngine.Object asset = AssetDatabase.LoadMainAssetAtPath(folder + "/" + row.path);
                if (asset == null) continue;
                string[] labels = AssetDatabase.GetLabels(asset);
                string[] wanted = labels.Union(LabelsOf(row)).ToArray();
                if (wanted.Length != labels.Length) AssetDatabase.SetLabels(asset, wanted);
            }
        }
    }

    static IEnumerable<string> LabelsOf(Row row)
    {
        foreach (string tag in (row.tags ?? "").Split(' ').Where(tag => tag != "")) yield return tag;
        if (!string.IsNullOrEmpty(row.mark)) yield return row.mark;
        yield return "job-" + row.job;
    }

    static Row RowOf(string asset)
    {
        for (string folder = Path.GetDirectoryName(asset); !string.IsNullOrEmpty(folder); folder = Path.GetDirectoryName(folder))
        {
            string mapping = folder.Replace('\\', '/') + "/" + MappingName;
            if (!File.Exists(mapping)) continue;
            string below = asset.Substring(folder.Length + 1);
            return Read(mapping).FirstOrDefault(row => row.path == below);
        }
        return null;
    }

    static string lastRead;
    static DateTime lastTime;
    static List<Row> lastRows;

    static List<Row> Read(string mapping)
    {
        DateTime time = File.GetLastWriteTimeUtc(mapping);
        if (mapping == lastRead && time == lastTime) return lastRows; // once for all pictures of an export
        Table table = JsonUtility.FromJson<Table>(File.ReadAllText(mapping));
        if (table.format != Format) Debug.LogWarning(mapping + " is not a mapping of batchgen export");
        lastRead = mapping;
        lastTime = time;
        lastRows = table.format == Format ? table.files : new List<Row>();
        return lastRows;
    }
}
