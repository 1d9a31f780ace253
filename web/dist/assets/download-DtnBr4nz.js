<<<<<<<< HEAD:web/dist/assets/download-DtnBr4nz.js
import{P as e}from"./index-rjpF7u3V.js";var t=t=>async n=>{let r=n.currentTarget;if(Number(new URL(r.href).searchParams.get(`expires`))*1e3>Date.now()+6e4)return;n.preventDefault();let i=await e.job(t.id);i.links.result&&(location.href=i.links.result)};export{t};
========
import{y as e}from"./Empty-x4UI2M9L.js";var t=t=>async n=>{let r=n.currentTarget;if(Number(new URL(r.href).searchParams.get(`expires`))*1e3>Date.now()+6e4)return;n.preventDefault();let i=await e.job(t.id);i.links.result&&(location.href=i.links.result)};export{t};
>>>>>>>> main:web/dist/assets/download-_3dAvemZ.js
