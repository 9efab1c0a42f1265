/**
 * The sample shop's vocabulary: departments, what they sell, and the names that brands, models and books go by.
 * All of it is made up in ordinary words; no data of a real shop is in it.
 */

export interface Department {
  /** As it is in the categories. */
  name: string;
  /** What its devices are. */
  device: string;
  /** Goods that fit one line of devices. */
  accessories: readonly string[];
  /** Used up and bought again. */
  supplies: readonly string[];
  /** Bought for themselves. */
  goods: readonly string[];
  /** Titles of book series, read in order. */
  series: readonly string[];
  /** What people do with it all, for descriptions. */
  uses: readonly string[];
}

// prettier-ignore
/** Departments of the sample catalogue, with the words that their items are made of. */
export const DEPARTMENTS: readonly Department[] = [
  {
    name: 'Photography',
    device: 'Camera',
    accessories: ['Wide Lens', 'Leather Case', 'Battery Grip', 'Lens Hood', 'Charging Dock'],
    supplies: ['Lens Cleaning Cloths', 'Memory Cards', 'Photo Paper', 'Sensor Swabs', 'Album Corners'],
    goods: ['Tripod', 'Photo Album', 'Light Stand', 'Reflector', 'Backpack', 'Picture Frame', 'Light Meter', 'Backdrop', 'Shutter Remote'],
    series: ['Learning to See', 'Light and Shadow', 'Portraits of the Coast'],
    uses: ['family portraits', 'city streets at night', 'birds in flight'],
  },
  {
    name: 'Coffee',
    device: 'Espresso Machine',
    accessories: ['Milk Jug', 'Portafilter', 'Tamping Mat', 'Water Tank', 'Drip Tray'],
    supplies: ['Dark Roast Beans', 'Paper Filters', 'Descaling Tablets', 'Light Roast Beans', 'Oat Barista Drink'],
    goods: ['Burr Grinder', 'Gooseneck Kettle', 'Cupping Bowl', 'Travel Mug', 'Bean Jar', 'Kitchen Scale', 'Sugar Pot', 'Moka Pot', 'Cold Brew Bottle'],
    series: ['The Patient Barista', 'Roads of the Bean', 'Murder at the Cafe'],
    uses: ['slow mornings', 'a busy office kitchen', 'dinner with friends'],
  },
  {
    name: 'Gardening',
    device: 'Lawn Mower',
    accessories: ['Grass Box', 'Mulching Blade', 'Rain Cover', 'Drive Belt', 'Spare Wheel'],
    supplies: ['Tomato Seeds', 'Potting Soil', 'Rose Fertilizer', 'Slug Barrier', 'Plant Ties'],
    goods: ['Pruning Shears', 'Watering Can', 'Leaf Rake', 'Wheelbarrow', 'Garden Gloves', 'Bird Bath', 'Cold Frame', 'Hose Reel', 'Compost Bin'],
    series: ['A Year of Beds and Borders', 'The Walled Garden', 'Trees Worth Knowing'],
    uses: ['small city gardens', 'a kitchen plot', 'old orchards'],
  },
  {
    name: 'Camping',
    device: 'Stove',
    accessories: ['Wind Screen', 'Fuel Hose', 'Pot Support', 'Carry Sack', 'Griddle Plate'],
    supplies: ['Gas Cartridge', 'Water Tablets', 'Trail Meal', 'Fire Starters', 'Tent Pegs'],
    goods: ['Sleeping Bag', 'Folding Chair', 'Head Torch', 'Dome Tent', 'Camp Pillow', 'Cool Box', 'Trekking Poles', 'Ground Mat', 'Tin Cup'],
    series: ['The Long Ridge Walks', 'Nights Under Canvas', 'Maps of the North'],
    uses: ['weekends in the hills', 'river trips', 'winter huts'],
  },
  {
    name: 'Music',
    device: 'Keyboard',
    accessories: ['Sustain Pedal', 'Folding Stand', 'Dust Cover', 'Padded Bag', 'Power Supply'],
    supplies: ['Guitar Strings', 'Drum Sticks', 'Reeds', 'Plectrums', 'Manuscript Paper'],
    goods: ['Metronome', 'Music Stand', 'Ukulele', 'Tambourine', 'Headphones', 'Practice Pad', 'Harmonica', 'Piano Bench', 'Guitar Capo'],
    series: ['First Steps at the Keys', 'The Blues Handbook', 'Songs for Two'],
    uses: ['beginners', 'evening practice', 'small stages'],
  },
  {
    name: 'Cycling',
    device: 'Bike Computer',
    accessories: ['Handlebar Mount', 'Cadence Sensor', 'Heart Strap', 'Silicone Sleeve', 'Charging Cable'],
    supplies: ['Inner Tubes', 'Chain Oil', 'Energy Bars', 'Brake Pads', 'Patch Kit'],
    goods: ['Helmet', 'Floor Pump', 'Saddle Bag', 'Rear Light', 'Bottle Cage', 'Rain Jacket', 'Bike Lock', 'Mudguards', 'Padded Gloves'],
    series: ['Climbs and Cols', 'The Workshop Wheel', 'Riders of the Plain'],
    uses: ['daily commuting', 'long gravel rides', 'mountain passes'],
  },
  {
    name: 'Sewing',
    device: 'Sewing Machine',
    accessories: ['Walking Foot', 'Extension Table', 'Bobbin Case', 'Foot Pedal', 'Hard Cover'],
    supplies: ['Cotton Thread', 'Machine Needles', 'Quilt Batting', 'Elastic Band', 'Fabric Chalk'],
    goods: ['Fabric Scissors', 'Cutting Mat', 'Pin Cushion', 'Steam Iron', 'Dress Form', 'Sewing Box', 'Embroidery Hoop', 'Rotary Cutter', 'Tape Measure'],
    series: ['Patterns for Every Season', 'The Quilting Circle', 'Stitch by Stitch'],
    uses: ['summer dresses', 'heavy denim', 'patchwork quilts'],
  },
  {
    name: 'Aquarium',
    device: 'Filter Pump',
    accessories: ['Spray Bar', 'Intake Strainer', 'Hose Set', 'Impeller', 'Quick Release Tap'],
    supplies: ['Fish Flakes', 'Filter Foam', 'Plant Food', 'Water Test Strips', 'Carbon Pads'],
    goods: ['Glass Tank', 'Gravel', 'Driftwood', 'Heater', 'Algae Magnet', 'Air Stone', 'Clip Lamp', 'Castle Ornament', 'Fish Net'],
    series: ['The Planted Tank', 'Reef Diaries', 'Small Fish, Big Ideas'],
    uses: ['planted tanks', 'shrimp bowls', 'coral reefs'],
  },
  {
    name: 'Woodworking',
    device: 'Cordless Drill',
    accessories: ['Spare Battery', 'Fast Charger', 'Side Handle', 'Belt Clip', 'Angle Chuck'],
    supplies: ['Wood Screws', 'Sanding Discs', 'Wood Glue', 'Linseed Oil', 'Drill Bits'],
    goods: ['Bench Vise', 'Try Square', 'Block Plane', 'Bar Clamp', 'Chisel Set', 'Dovetail Saw', 'Marking Gauge', 'Tool Chest', 'Work Apron'],
    series: ['Joints That Last', 'The Village Carpenter', 'Shop Notes'],
    uses: ['built-in shelves', 'fine furniture', 'repairs around the house'],
  },
  {
    name: 'Baking',
    device: 'Stand Mixer',
    accessories: ['Dough Hook', 'Glass Bowl', 'Splash Guard', 'Pasta Roller', 'Flat Beater'],
    supplies: ['Bread Flour', 'Baking Parchment', 'Dried Yeast', 'Vanilla Sugar', 'Cake Decorations'],
    goods: ['Proofing Basket', 'Loaf Tin', 'Rolling Pin', 'Cake Stand', 'Cookie Cutters', 'Bread Knife', 'Cooling Rack', 'Muffin Tray', 'Pie Dish'],
    series: ['The Sourdough Letters', 'Cakes from the Village', 'Death by Meringue'],
    uses: ['crusty loaves', 'birthday cakes', 'holiday cookies'],
  },
  {
    name: 'Games',
    device: 'Game Console',
    accessories: ['Second Controller', 'Travel Case', 'Screen Guard', 'Charging Stand', 'Racing Wheel'],
    supplies: ['Card Sleeves', 'Miniature Paint', 'Dice', 'Score Pads', 'Party Snacks'],
    goods: ['Chess Set', 'Jigsaw Puzzle', 'Dominoes', 'Playing Mat', 'Backgammon', 'Card Shuffler', 'Marble Run', 'Word Game', 'Game Shelf'],
    series: ['The Dragon Gate', 'Empires of Salt', 'Starship Meridian'],
    uses: ['family evenings', 'long train rides', 'two clever players'],
  },
  {
    name: 'Pets',
    device: 'Feeder',
    accessories: ['Steel Bowl', 'Desiccant Holder', 'Wall Bracket', 'Backup Battery', 'Portion Wheel'],
    supplies: ['Dry Cat Food', 'Dog Biscuits', 'Litter', 'Dental Chews', 'Hay'],
    goods: ['Dog Bed', 'Scratching Post', 'Lead', 'Travel Crate', 'Rope Toy', 'Grooming Brush', 'Cat Tunnel', 'Name Tag', 'Rabbit Hutch'],
    series: ['Tails of Mill Lane', 'Training with Patience', 'The Detective Spaniel'],
    uses: ['shy cats', 'young dogs', 'busy households'],
  },
];

// prettier-ignore
/** Brands of the sample catalogue. */
export const BRANDS: readonly string[] = [
  'Harlow', 'Brightwell', 'Tamsin', 'Oakmere', 'Vellum', 'Corvane', 'Pellham', 'Ostara', 'Quillon', 'Marlowe', 'Sandrick', 'Everly',
  'Norwick', 'Halden', 'Larkspur', 'Bramley', 'Tolliver', 'Wexcombe', 'Ardent', 'Finch', 'Cobalt', 'Juniper', 'Rowan', 'Sable',
  'Thistle', 'Umber', 'Vesper', 'Willow', 'Yarrow', 'Zephyr', 'Alder', 'Birch', 'Cinder', 'Delph', 'Ember', 'Fjord',
];

// prettier-ignore
/** Names of product lines. */
export const MODELS: readonly string[] = [
  'Kestrel', 'Comet', 'Harbor', 'Summit', 'Nimbus', 'Atlas', 'Breeze', 'Cascade', 'Drift', 'Echo', 'Falcon', 'Glade',
  'Horizon', 'Island', 'Jasper', 'Lagoon', 'Meadow', 'Nova', 'Onyx', 'Pioneer', 'Quartz', 'Ranger', 'Sierra', 'Tempo',
  'Uplift', 'Vista', 'Wander', 'Xenon', 'Yonder', 'Zenith', 'Anchor', 'Beacon', 'Canyon', 'Dune', 'Estuary', 'Fern',
];

// prettier-ignore
/** Authors of book series. */
export const AUTHORS: readonly string[] = [
  'Ida Fenwick', 'Tom Aldous', 'Ruth Okafor', 'Lena Marsh', 'Piet Vos', 'Clara Nyman', 'Hugh Ashby', 'Mina Castell', 'Joan Pruett',
  'Karl Lindqvist', 'Nora Beck', 'Samir Haddad', 'Greta Holm', 'Owen Tully', 'Alma Reyes', 'Felix Brandt', 'Edith Moor', 'Ivo Marek',
];

// prettier-ignore
/** Subtitles of volumes. */
export const SUBTITLES: readonly string[] = [
  'The Silent Orchard', 'A Door in Winter', 'Three Bridges', 'The Last Lantern', 'Under Green Glass', 'What the River Kept',
  'The Quiet Engine', 'Salt and Paper', 'The Seventh Room', 'A Map of Rain', 'The Copper Bell', 'Far from the Harbor',
  'The Borrowed Year', 'Stones and Stars', 'The Empty Chair', 'A Thread of Smoke', 'The Blue Hour', 'Before the Frost',
];

// prettier-ignore
/** Adjectives in titles of goods. */
export const QUALITIES: readonly string[] = [
  'Sturdy', 'Compact', 'Classic', 'Folding', 'Lightweight', 'Everyday', 'Deluxe', 'Quiet', 'Handmade', 'Travel', 'Large', 'Simple',
];
