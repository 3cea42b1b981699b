use super::*;

fn save(path: &Path, red: u8) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    RgbImage::from_pixel(4, 4, Rgb([red, 0, 0])).save(path).unwrap();
}

/// Three classes, listed in another order than the alphabet's; an image's red is the position of its class.
const CLASSES: [&str; 3] = ["n01443537", "n02124075", "n04067472"];

/// Tiny ImageNet as it is downloaded, but with three classes and PNGs.
fn tiny() -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path();
    for (red, class) in (0..).zip(CLASSES) {
        for number in 0..2 {
            save(&root.join(format!("train/{class}/images/{class}_{number}.png")), red);
        }
        fs::write(root.join(format!("train/{class}/{class}_boxes.txt")), "0\t0\t3\t3\n").unwrap();
    }
    let mut annotations = String::new();
    for (number, red) in [2u8, 0, 1, 2].into_iter().enumerate() {
        save(&root.join(format!("val/images/val_{number}.png")), red);
        annotations += &format!("val_{number}.png\t{}\t0\t0\t3\t3\n", CLASSES[usize::from(red)]);
    }
    fs::write(root.join("val/val_annotations.txt"), annotations).unwrap();
    save(&root.join("test/images/test_0.png"), 9);
    fs::write(root.join("wnids.txt"), "n02124075\nn04067472\nn01443537\n").unwrap();
    fs::write(root.join("words.txt"), "n02124075\tEgyptian cat\n").unwrap();
    dir
}

#[test]
fn tiny_imagenet_is_read_as_it_is_downloaded() {
    let dir = tiny();
    let data = DataSet::read(dir.path()).unwrap();
    assert_eq!(
        (data.training.len(), data.test.len(), data.classes),
        (6, 4, CLASSES.map(str::to_string).to_vec())
    );
    for part in [&data.training, &data.test] {
        for (index, &label) in part.labels.iter().enumerate() {
            assert_eq!(part.image(index)[0] * 255.0, f32::from(label));
        }
    }
    let val = ImageFolderConfig::new().open(&dir.path().join("val")).unwrap();
    assert_eq!(val.load().unwrap(), data.test);
    let test = ImageFolderConfig::new().open_unlabeled(&dir.path().join("test/images")).unwrap();
    assert_eq!((Dataset::len(&test), test.dims()), (1, [3, 4, 4]));
}

fn tiny_error(change: impl FnOnce(&Path)) -> String {
    let dir = tiny();
    change(dir.path());
    error_of(&dir, DataSet::read(dir.path()))
}

#[test]
fn annotations_and_images_must_fit() {
    let annotated = |text: &'static str| {
        move |dir: &Path| {
            let path = dir.join("val/val_annotations.txt");
            fs::write(&path, fs::read_to_string(&path).unwrap() + text).unwrap();
        }
    };
    let line = "DIR/val/val_annotations.txt: line 5 is";
    let expected = "expected an image, each once, a tab and its class";
    assert_eq!(tiny_error(annotated("val_4.png\n")), format!("{line} `val_4.png`, {expected}"));
    let twice = tiny_error(annotated("val_0.png\tn01443537\n"));
    assert_eq!(twice, format!("{line} `val_0.png\tn01443537`, {expected}"));
    assert_eq!(tiny_error(annotated("val_4.png\tn01443537\n")), "DIR/val/images/val_4.png: cannot be read");
    assert_eq!(
        tiny_error(|dir| save(&dir.join("val/images/val_4.png"), 0)),
        "DIR/val/val_annotations.txt: no line says what DIR/val/images/val_4.png is"
    );
    let other = tiny_error(annotated("val_4.png\tn9\n"));
    assert!(
        other.starts_with("DIR/val: expected the classes of `train`, found the class folders ["),
        "{other}"
    );
    let fewer = tiny_error(|dir| fs::write(dir.join("wnids.txt"), "n01443537\n").unwrap());
    assert!(fewer.starts_with("DIR/train: expected the 1 classes of `wnids.txt`, found"), "{fewer}");
}

#[test]
fn a_damaged_image_of_tiny_imagenet_is_named_or_skipped() {
    let spoil = |dir: &Path| fs::write(dir.join("val/images/val_3.png"), b"no image").unwrap();
    assert_eq!(tiny_error(spoil), "DIR/val/images/val_3.png: cannot be decoded");
    let dir = tiny();
    spoil(dir.path());
    let [_, test] = ImageFolderConfig::new().skipping_damaged().open_parts(dir.path()).unwrap();
    assert_eq!((Dataset::len(&test), test.damaged()), (3, &[dir.path().join("val/images/val_3.png")][..]));
}

/// Three images in one folder, and what systems leave beside them.
fn flat() -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    (0..3).for_each(|red| save(&dir.path().join(format!("{red}.png")), red));
    for junk in ["Thumbs.db", "desktop.ini", ".DS_Store", "._0.png"] {
        fs::write(dir.path().join(junk), b"junk").unwrap();
    }
    save(&dir.path().join(".ipynb_checkpoints/0.png"), 9);
    dir
}

#[test]
fn images_without_labels_are_read_if_asked() {
    let dir = flat();
    let folder = ImageFolderConfig::new().open_unlabeled(dir.path()).unwrap();
    assert_eq!((folder.labels(), folder.classes().len()), (vec![0; 3], 0));
    let mut reds: Vec<f32> =
        (0..3).map(|index| folder.image(index).unwrap().values[0] * 255.0).map(f32::round).collect();
    reds.sort_by(f32::total_cmp);
    assert_eq!(reds, [0.0, 1.0, 2.0]);

    fs::write(dir.path().join("1.png"), b"no image").unwrap();
    let skipping = ImageFolderConfig::new().skipping_damaged();
    let folder = skipping.open_unlabeled(dir.path()).unwrap();
    assert_eq!((Dataset::len(&folder), folder.damaged()), (2, &[dir.path().join("1.png")][..]));
    (0..3).for_each(|n| fs::write(dir.path().join(format!("{n}.png")), b"no image").unwrap());
    let error = error_of(&dir, skipping.open_unlabeled(dir.path()));
    assert_eq!(error, "DIR: no image that is not damaged");
}

#[test]
fn images_without_labels_are_refused_with_the_way_to_read_them() {
    let dir = flat();
    let expected =
        "DIR: 3 images and no class folders; `ImageFolderConfig::open_unlabeled` reads images without labels";
    assert_eq!(error_of(&dir, ImageFolderConfig::new().open(dir.path())), expected);
    assert_eq!(error_of(&dir, DataSet::read(dir.path())), expected);
    // one folder down, as in the test part of Tiny ImageNet
    let dir = tiny();
    let error = error_of(&dir, ImageFolderConfig::new().open(&dir.path().join("test")));
    assert!(error.starts_with("DIR/test/images: 1 images and no class folders; "), "{error}");
}

#[test]
fn images_in_unexpected_places_are_named() {
    let dir = tree_of_images();
    save(&dir.path().join("train/stray.png"), 0);
    let error = error_of(&dir, DataSet::read(dir.path()));
    assert_eq!(error, "DIR/train/stray.png: an image beside class folders, of no class");

    let dir = tree_of_images();
    save(&dir.path().join("test/class3/more/even/0.png"), 0);
    let error = error_of(&dir, DataSet::read(dir.path()));
    let nested = "a folder of images within a folder of images; expected class folders one deep";
    assert_eq!(error, format!("DIR/test/class3/more: {nested}"));

    let dir = flat();
    fs::create_dir(dir.path().join("empty")).unwrap();
    assert!(ImageFolderConfig::new().open_unlabeled(dir.path()).is_ok());
    save(&dir.path().join("more/0.png"), 0);
    let error = error_of(&dir, ImageFolderConfig::new().open_unlabeled(dir.path()));
    assert_eq!(error, format!("DIR/more: {nested}"));
}
