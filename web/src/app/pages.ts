// Every page: its path, its name, and the code that draws it, fetched when it is first wanted.

import type { Component } from 'svelte';

export interface PageProps {
  params: Record<string, string>;
}

export interface Page {
  patterns: string[];
  load: () => Promise<{ default: Component<PageProps> }>;
}

export interface Place {
  name: string;
  path: string;
  icon: string;
  says: string;
}

/** In the order of the navigation. */
export const places: Place[] = [
  { name: 'Classify', path: '/classify', icon: 'gait', says: 'A capture or a flow table' },
  { name: 'What-if', path: '/what-if', icon: 'sliders', says: 'Set sizes and gaps, see the probabilities' },
  { name: 'Federation', path: '/federation', icon: 'nodes', says: 'Learning together' },
  { name: 'Flows', path: '/flows', icon: 'rows', says: 'Flows as they end' },
  { name: 'Models', path: '/models', icon: 'layers', says: 'Versions, scores, cards' },
  { name: 'Jobs', path: '/jobs', icon: 'queue', says: 'The queue and its workers' },
];
/** In the bar at the bottom of a phone; the rest is behind More. */
export const bar = ['Classify', 'Flows', 'Federation', 'Models'];

const classify = () => import('../classify/Classify.svelte');
const flows = () => import('../flows/Flows.svelte');
const home = () => import('../home/Home.svelte');
const jobs = () => import('../jobs/Jobs.svelte');
const start = () => import('../classify/Start.svelte');
const whatIf = () => import('../whatif/WhatIf.svelte');
const models = () => import('../models/Models.svelte');
const federation = () => import('../federation/Federation.svelte');
const federations = () => import('../federation/Start.svelte');
const compare = () => import('../federation/Compare.svelte');

export const pages: Page[] = [
  { patterns: ['/'], load: home },
  { patterns: ['/classify'], load: start },
  { patterns: ['/classify/:job', '/classify/:job/flows/:flow'], load: classify },
  { patterns: ['/flows'], load: flows },
  { patterns: ['/jobs', '/jobs/:job'], load: jobs },
  { patterns: ['/models', '/models/compare', '/models/fit', '/models/:name/:version'], load: models },
  { patterns: ['/what-if'], load: whatIf },
  { patterns: ['/federation'], load: federations },
  { patterns: ['/federation/compare'], load: compare },
  { patterns: ['/federation/:id'], load: federation },
];

// Only while it is developed: the build drops the branch, and with it the page.
if (import.meta.env.DEV) pages.push({ patterns: ['/parts'], load: () => import('./Parts.svelte') });
